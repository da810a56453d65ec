//! Text and actions → a tree, refusing at once what Go's parser refuses: unknown functions, undefined variables, loose ends.

use std::collections::BTreeMap;

use super::lexer::{Lexed, Part, Token, parts};
use super::tree::{Node, Pipeline, Tree};
use super::words::{Words, unexpected};

/// Variables that exist before a rule's template begins.
pub(super) const GIVEN: [&str; 5] = ["$", "$labels", "$externalLabels", "$externalURL", "$value"];

/// Deeper nesting of actions and parentheses than any template has; a guard for the stack.
pub(super) const DEEPEST: usize = 100;

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
