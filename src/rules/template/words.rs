//! The tokens of one action → a pipeline.

use super::functions;
use super::lexer::{Lexed, Token};
use super::parser::DEEPEST;
use super::tree::{Operand, Pipeline};
use super::value::{Value, number};

/// The tokens of one action.
pub(super) struct Words {
    pub(super) tokens: std::iter::Peekable<std::vec::IntoIter<Lexed>>,
    /// How deep the action itself stands.
    pub(super) depth: usize,
}

impl Words {
    fn peek(&mut self) -> Option<&Token> {
        self.tokens.peek().map(|lexed| &lexed.token)
    }

    /// Everything up to the end or a closing parenthesis. What it declares is added to `variables`.
    pub(super) fn pipeline(
        &mut self,
        variables: &mut Vec<String>,
        context: &str,
    ) -> Result<Pipeline, String> {
        let mut pipeline = self.declarations(variables, context)?;
        loop {
            match self.peek() {
                None | Some(Token::Close) => break,
                Some(Token::Pipe | Token::Comma | Token::Declare | Token::Assign) => {
                    let token = self.tokens.next();
                    return Err(
                        token.map_or_else(String::new, |lexed| unexpected(&lexed.token, context))
                    );
                }
                Some(_) => {}
            }
            pipeline.commands.push(self.command(variables)?);
            if self.peek() == Some(&Token::Pipe) {
                self.tokens.next();
                if matches!(self.peek(), None | Some(Token::Close)) {
                    return Err(format!("missing value for {context}"));
                }
            }
        }
        if pipeline.commands.is_empty() {
            return Err(format!("missing value for {context}"));
        }
        let lifeless =
            |command: &Vec<Operand>| matches!(command[0], Operand::Constant(_) | Operand::Dot);
        match pipeline.commands.iter().skip(1).position(lifeless) {
            Some(stage) => Err(format!(
                "non executable command in pipeline stage {}",
                stage + 2
            )),
            None => Ok(pipeline),
        }
    }

    /// `$a :=`, `$a =`, and in a range `$a, $b :=`.
    fn declarations(
        &mut self,
        variables: &mut Vec<String>,
        context: &str,
    ) -> Result<Pipeline, String> {
        let mut pipeline = Pipeline::default();
        loop {
            let mut ahead = self.tokens.clone();
            let (Some(Token::Variable(name)), after) = (
                ahead.next().map(|lexed| lexed.token),
                ahead.next().map(|lexed| lexed.token),
            ) else {
                return Ok(pipeline);
            };
            let last = match after {
                Some(Token::Declare | Token::Assign) => true,
                Some(Token::Comma) if context == "range" && pipeline.variables.is_empty() => false,
                Some(Token::Comma) => return Err(format!("too many declarations in {context}")),
                _ if pipeline.variables.is_empty() => return Ok(pipeline),
                _ => return Err("range can only initialize variables".into()),
            };
            pipeline.assigns = after == Some(Token::Assign);
            pipeline.variables.push(name.clone());
            variables.push(name);
            self.tokens = ahead;
            if last {
                return Ok(pipeline);
            }
        }
    }

    fn command(&mut self, variables: &mut Vec<String>) -> Result<Vec<Operand>, String> {
        let mut operands = Vec::new();
        loop {
            let adjoining = self.tokens.peek().is_some_and(|lexed| !lexed.spaced);
            match self.peek() {
                None | Some(Token::Close | Token::Pipe) => return Ok(operands),
                Some(other) if adjoining && !operands.is_empty() => {
                    return Err(unexpected(other, "operand"));
                }
                Some(_) => operands.push(self.operand(variables)?),
            }
        }
    }

    fn operand(&mut self, variables: &mut Vec<String>) -> Result<Operand, String> {
        let operand = self.term(variables)?;
        let fields = self.adjoining_fields();
        match operand {
            operand if fields.is_empty() => Ok(operand),
            Operand::Field(mut path) => {
                path.extend(fields);
                Ok(Operand::Field(path))
            }
            Operand::Variable(name, _) => Ok(Operand::Variable(name, fields)),
            Operand::Constant(_) | Operand::Dot => {
                Err(format!("unexpected `.{}` after a term", fields[0]))
            }
            other => Ok(Operand::Chain(Box::new(other), fields)),
        }
    }

    fn adjoining_fields(&mut self) -> Vec<String> {
        let mut fields = Vec::new();
        while let Some(Lexed {
            token: Token::Field(name),
            spaced: false,
        }) = self.tokens.peek()
        {
            fields.push(name.clone());
            self.tokens.next();
        }
        fields
    }

    fn term(&mut self, variables: &mut Vec<String>) -> Result<Operand, String> {
        let Some(Lexed { token, .. }) = self.tokens.next() else {
            return Err("empty command".into());
        };
        match token {
            Token::Text(text) => Ok(Operand::Constant(Value::Text(text))),
            Token::Rune(code) => Ok(Operand::Constant(Value::Int(code))),
            Token::Number(text) => number(&text)
                .map(Operand::Constant)
                .ok_or_else(|| format!("bad number syntax: {text:?}")),
            Token::Dot => Ok(Operand::Dot),
            Token::Field(name) => Ok(Operand::Field(vec![name])),
            Token::Variable(name) if variables.contains(&name) => {
                Ok(Operand::Variable(name, Vec::new()))
            }
            Token::Variable(name) => Err(format!("undefined variable {name:?}")),
            Token::Word(word) => match word.as_str() {
                "true" => Ok(Operand::Constant(Value::Bool(true))),
                "false" => Ok(Operand::Constant(Value::Bool(false))),
                "nil" => Ok(Operand::Constant(Value::Nil)),
                name if functions::exists(name) => Ok(Operand::Function(word)),
                _ => Err(format!("function {word:?} not defined")),
            },
            Token::Open => self.nested(variables),
            other => Err(unexpected(&other, "operand")),
        }
    }

    fn nested(&mut self, variables: &mut Vec<String>) -> Result<Operand, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("nested deeper than {DEEPEST} levels"));
        }
        let pipeline = self.pipeline(variables, "parenthesized pipeline")?;
        self.depth -= 1;
        match self.tokens.next() {
            Some(Lexed {
                token: Token::Close,
                ..
            }) => Ok(Operand::Nested(pipeline)),
            _ => Err("unclosed left paren".into()),
        }
    }
}

/// The complaint about a token where it may not stand.
pub(super) fn unexpected(token: &Token, context: &str) -> String {
    let shown = match token {
        Token::Word(text) | Token::Variable(text) | Token::Number(text) => text.clone(),
        Token::Field(name) => format!(".{name}"),
        Token::Text(text) => format!("{text:?}"),
        Token::Rune(code) => code.to_string(),
        Token::Dot => ".".into(),
        Token::Open => "(".into(),
        Token::Close => ")".into(),
        Token::Pipe => "|".into(),
        Token::Comma => ",".into(),
        Token::Declare => ":=".into(),
        Token::Assign => "=".into(),
    };
    format!("unexpected `{shown}` in {context}")
}
