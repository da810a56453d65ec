//! Tokens → a tree, refusing at once what Go's parser refuses: unknown functions, undefined variables, loose ends.

use std::collections::BTreeMap;

use super::functions;
use super::lexer::{Lexed, Part, Token, parts};
use super::value::{Value, number};

/// A parsed template and those it defines.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub(super) root: Vec<Node>,
    pub(super) defined: BTreeMap<String, Vec<Node>>,
}

/// A piece of a template.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Text(String),
    Print(Pipeline),
    If(Pipeline, Vec<Node>, Vec<Node>),
    With(Pipeline, Vec<Node>, Vec<Node>),
    Range(Pipeline, Vec<Node>, Vec<Node>),
    Template(String, Option<Pipeline>),
    Break,
    Continue,
}

/// Commands, each of which has the result of the one before it as its last argument.
#[derive(Debug, Clone, Default)]
pub(super) struct Pipeline {
    pub(super) variables: Vec<String>,
    pub(super) assigns: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}

/// A word of a command.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Constant(Value),
    Dot,
    Field(Vec<String>),
    Variable(String, Vec<String>),
    Function(String),
    Nested(Pipeline),
    Chain(Box<Operand>, Vec<String>),
}

/// Variables that exist before a rule's template begins.
pub(super) const GIVEN: [&str; 5] = ["$", "$labels", "$externalLabels", "$externalURL", "$value"];

/// Deeper nesting of actions and parentheses than any template has; a guard for the stack.
const DEEPEST: usize = 100;

/// Parses a template.
pub(super) fn parse(source: &str) -> Result<Tree, String> {
    let mut parser = Parser {
        parts: parts(source)?.into_iter(),
        variables: GIVEN.iter().map(|name| (*name).to_owned()).collect(),
        defined: BTreeMap::new(),
        loops: 0,
        depth: 0,
    };
    match parser.list(true)? {
        (root, End::Source) => Ok(Tree {
            root,
            defined: parser.defined,
        }),
        (_, End::Else(_)) => Err("unexpected {{else}}".into()),
        (_, End::Closed) => Err("unexpected {{end}}".into()),
    }
}

/// What ended a list of nodes.
enum End {
    Source,
    Closed,
    Else(Vec<Lexed>),
}

struct Parser {
    parts: std::vec::IntoIter<Part>,
    variables: Vec<String>,
    defined: BTreeMap<String, Vec<Node>>,
    loops: usize,
    depth: usize,
}

impl Parser {
    fn list(&mut self, top: bool) -> Result<(Vec<Node>, End), String> {
        let mut nodes = Vec::new();
        while let Some(part) = self.parts.next() {
            let tokens = match part {
                Part::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Part::Action(tokens) => tokens,
            };
            let keyword = match tokens.first().map(|lexed| &lexed.token) {
                Some(Token::Word(word)) => word.clone(),
                _ => String::new(),
            };
            let rest = || tokens[1..].to_vec();
            match keyword.as_str() {
                "end" => return nothing_more(&tokens, "end").map(|()| (nodes, End::Closed)),
                "else" => return Ok((nodes, End::Else(rest()))),
                "if" | "with" | "range" => nodes.push(self.control(&keyword, rest())?),
                "template" => nodes.push(self.call(&tokens[1..], "template clause")?),
                "block" => nodes.push(self.block(&tokens[1..])?),
                "define" if top => self.define(&tokens[1..])?,
                "break" | "continue" => {
                    nothing_more(&tokens, &keyword)?;
                    if self.loops == 0 {
                        return Err(format!("{{{{{keyword}}}}} outside {{{{range}}}}"));
                    }
                    nodes.push(if keyword == "break" {
                        Node::Break
                    } else {
                        Node::Continue
                    });
                }
                _ => nodes.push(Node::Print(self.pipeline(tokens, "command")?)),
            }
        }
        Ok((nodes, End::Source))
    }

    fn control(&mut self, keyword: &str, tokens: Vec<Lexed>) -> Result<Node, String> {
        self.enter()?;
        let scope = self.variables.len();
        let pipeline = self.pipeline(tokens, keyword)?;
        self.loops += usize::from(keyword == "range");
        let (body, end) = self.list(false)?;
        self.loops -= usize::from(keyword == "range");
        let otherwise = match end {
            End::Source => return Err("unexpected EOF".into()),
            End::Closed => Vec::new(),
            End::Else(tokens) => self.otherwise(keyword, &tokens)?,
        };
        self.variables.truncate(scope);
        self.depth -= 1;
        Ok(match keyword {
            "if" => Node::If(pipeline, body, otherwise),
            "with" => Node::With(pipeline, body, otherwise),
            _ => Node::Range(pipeline, body, otherwise),
        })
    }

    /// What follows `{{else`: the same keyword again chains, and shares the final `{{end}}`.
    fn otherwise(&mut self, keyword: &str, tokens: &[Lexed]) -> Result<Vec<Node>, String> {
        match tokens.first().map(|lexed| &lexed.token) {
            Some(Token::Word(word)) if word == keyword && keyword != "range" => {
                return Ok(vec![self.control(keyword, tokens[1..].to_vec())?]);
            }
            Some(other) => return Err(unexpected(other, "else")),
            None => {}
        }
        match self.list(false)? {
            (nodes, End::Closed) => Ok(nodes),
            (_, End::Else(_)) => Err("expected end; found {{else}}".into()),
            (_, End::Source) => Err("unexpected EOF".into()),
        }
    }

    fn call(&mut self, tokens: &[Lexed], context: &str) -> Result<Node, String> {
        let name = name_of(tokens, context)?;
        let rest = tokens[1..].to_vec();
        let argument = if rest.is_empty() {
            None
        } else {
            Some(self.pipeline(rest, context)?)
        };
        Ok(Node::Template(name, argument))
    }

    fn block(&mut self, tokens: &[Lexed]) -> Result<Node, String> {
        let name = name_of(tokens, "block clause")?;
        let argument = self.pipeline(tokens[1..].to_vec(), "block clause")?;
        self.body_of(&name)?;
        Ok(Node::Template(name, Some(argument)))
    }

    fn define(&mut self, tokens: &[Lexed]) -> Result<(), String> {
        let name = name_of(tokens, "define clause")?;
        if let Some(more) = tokens.get(1) {
            return Err(unexpected(&more.token, "define clause"));
        }
        self.body_of(&name)
    }

    /// Reads up to `{{end}}` what is printed under a name, which sees no variable but `$`.
    fn body_of(&mut self, name: &str) -> Result<(), String> {
        self.enter()?;
        let outside = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let loops = std::mem::take(&mut self.loops);
        let (nodes, end) = self.list(false)?;
        if !matches!(end, End::Closed) {
            return Err("unexpected EOF".into());
        }
        (self.variables, self.loops) = (outside, loops);
        self.depth -= 1;
        let empty = nodes
            .iter()
            .all(|node| matches!(node, Node::Text(text) if text.trim().is_empty()));
        if !empty || !self.defined.contains_key(name) {
            self.defined.insert(name.into(), nodes);
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            Err(format!("nested deeper than {DEEPEST} levels"))
        } else {
            Ok(())
        }
    }

    fn pipeline(&mut self, tokens: Vec<Lexed>, context: &str) -> Result<Pipeline, String> {
        let mut words = Words {
            tokens: tokens.into_iter().peekable(),
            depth: self.depth,
        };
        let pipeline = words.pipeline(&mut self.variables, context)?;
        match words.tokens.next() {
            Some(more) => Err(unexpected(&more.token, context)),
            None => Ok(pipeline),
        }
    }
}

fn nothing_more(tokens: &[Lexed], keyword: &str) -> Result<(), String> {
    match tokens.get(1) {
        Some(more) => Err(unexpected(&more.token, &format!("{{{{{keyword}}}}}"))),
        None => Ok(()),
    }
}

fn name_of(tokens: &[Lexed], context: &str) -> Result<String, String> {
    match tokens.first().map(|lexed| &lexed.token) {
        Some(Token::Text(name)) => Ok(name.clone()),
        Some(other) => Err(unexpected(other, context)),
        None => Err(format!("missing name in {context}")),
    }
}

fn unexpected(token: &Token, context: &str) -> String {
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

/// The tokens of one action.
struct Words {
    tokens: std::iter::Peekable<std::vec::IntoIter<Lexed>>,
    depth: usize,
}

impl Words {
    fn peek(&mut self) -> Option<&Token> {
        self.tokens.peek().map(|lexed| &lexed.token)
    }

    fn pipeline(&mut self, variables: &mut Vec<String>, context: &str) -> Result<Pipeline, String> {
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
