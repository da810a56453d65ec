//! An expression as it is evaluated: types checked, functions known, matchers compiled, times in milliseconds.

use super::Kind;
use super::function::Function;
use crate::sample::Labels;
use crate::store::Matcher;

/// A node of an expression.
#[derive(Debug, Clone)]
pub(crate) enum Expr {
    Number(f64),
    Text(String),
    Vector(Selector),
    Matrix(Selector, i64),
    Subquery(Box<Subquery>),
    Negative(Box<Expr>),
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call(Call),
}

/// Which series, and as of when.
#[derive(Debug, Clone)]
pub(crate) struct Selector {
    /// The metric's name, where it is given as such.
    pub(crate) name: Option<String>,
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) shift: Shift,
}

/// `@` and `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shift {
    pub(crate) at: Option<At>,
    /// Milliseconds back; negative looks ahead.
    pub(crate) offset: i64,
}

/// The argument of `@`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Start,
    End,
    /// Milliseconds since the epoch.
    Moment(i64),
}

/// `expr[range:step]`.
#[derive(Debug, Clone)]
pub(crate) struct Subquery {
    pub(crate) expr: Expr,
    pub(crate) range: i64,
    /// `None` takes that of the limits.
    pub(crate) step: Option<i64>,
    pub(crate) shift: Shift,
}

/// Two operands and how their elements find each other.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    pub(crate) op: Op,
    pub(crate) left: Expr,
    pub(crate) right: Expr,
    /// A comparison gives 0 or 1 rather than filter.
    pub(crate) bool: bool,
    pub(crate) matching: Matching,
}

/// `on`, `ignoring`, `group_left` and `group_right`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matching {
    /// `on` rather than `ignoring`.
    pub(crate) on: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) card: Card,
    /// Labels taken over from the one side.
    pub(crate) include: Vec<String>,
}

/// How many elements of one side may match one of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Card {
    #[default]
    OneToOne,
    ManyToOne,
    OneToMany,
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    And,
    Or,
    Unless,
}

impl Op {
    /// Whether it compares.
    pub(crate) fn compares(self) -> bool {
        use Op::*;
        matches!(
            self,
            Equal | NotEqual | Greater | Less | GreaterOrEqual | LessOrEqual
        )
    }

    /// Whether it works on sets of elements.
    pub(crate) fn is_set(self) -> bool {
        matches!(self, Op::And | Op::Or | Op::Unless)
    }
}

/// An aggregation over groups of elements.
#[derive(Debug, Clone)]
pub(crate) struct Aggregate {
    pub(crate) op: Aggregation,
    pub(crate) expr: Expr,
    pub(crate) param: Option<Expr>,
    pub(crate) grouping: Grouping,
    /// Where the first of what stands in its brackets begins.
    pub(crate) place: Option<usize>,
}

/// `by` and `without`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grouping {
    By(Vec<String>),
    Without(Vec<String>),
}

impl Grouping {
    /// The labels of the group that an element belongs to.
    pub(crate) fn key(&self, labels: &Labels) -> Labels {
        use crate::sample::NAME;
        match self {
            Grouping::By(names) => labels.filtered(|name| names.iter().any(|n| n == name)),
            Grouping::Without(names) => {
                labels.filtered(|name| name != NAME && names.iter().all(|n| n != name))
            }
        }
    }
}

/// What an aggregation computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregation {
    Sum,
    Average,
    Minimum,
    Maximum,
    Count,
    Group,
    Deviation,
    Variance,
    Top,
    Bottom,
    Quantile,
    CountValues,
}

/// A function and its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) function: Function,
    pub(crate) arguments: Vec<Expr>,
    /// Where each of them begins.
    pub(crate) places: Vec<usize>,
}

impl Call {
    /// Where an argument begins, in bytes of the expression.
    pub(crate) fn place(&self, argument: usize) -> Option<usize> {
        self.places.get(argument).copied()
    }
}

impl Expr {
    /// What the outermost comparison compares; the left side of `and` and `unless` makes the value.
    pub(super) fn compared(&self) -> &Expr {
        match self {
            Expr::Binary(binary) if matches!(binary.op, Op::And | Op::Unless) => {
                binary.left.compared()
            }
            Expr::Binary(binary) if binary.op.compares() => match binary.left {
                Expr::Number(_) => binary.right.compared(),
                _ => binary.left.compared(),
            },
            other => other,
        }
    }

    /// Whether what the outermost comparison compares has to be small.
    pub(super) fn wants_less(&self) -> bool {
        match self {
            Expr::Binary(binary) if matches!(binary.op, Op::And | Op::Unless) => {
                binary.left.wants_less()
            }
            Expr::Binary(binary) => match binary.left {
                Expr::Number(_) => matches!(binary.op, Op::Greater | Op::GreaterOrEqual),
                _ => matches!(binary.op, Op::Less | Op::LessOrEqual),
            },
            _ => false,
        }
    }

    /// The node's operands.
    pub(crate) fn children(&self) -> Vec<&Expr> {
        match self {
            Expr::Number(_) | Expr::Text(_) | Expr::Vector(_) | Expr::Matrix(..) => Vec::new(),
            Expr::Subquery(subquery) => vec![&subquery.expr],
            Expr::Negative(expr) => vec![expr],
            Expr::Binary(binary) => vec![&binary.left, &binary.right],
            Expr::Aggregate(aggregate) => {
                let mut children = vec![&aggregate.expr];
                children.extend(&aggregate.param);
                children
            }
            Expr::Call(call) => call.arguments.iter().collect(),
        }
    }

    /// The node itself and everything below it.
    pub(crate) fn visit<'a>(&'a self, visitor: &mut impl FnMut(&'a Expr)) {
        visitor(self);
        for child in self.children() {
            child.visit(visitor);
        }
    }

    /// The type of its value.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Expr::Number(_) => Kind::Scalar,
            Expr::Text(_) => Kind::Text,
            Expr::Matrix(..) | Expr::Subquery(_) => Kind::Matrix,
            Expr::Vector(_) | Expr::Aggregate(_) => Kind::Vector,
            Expr::Negative(inner) => inner.kind(),
            Expr::Binary(binary) => match (binary.left.kind(), binary.right.kind()) {
                (Kind::Scalar, Kind::Scalar) => Kind::Scalar,
                _ => Kind::Vector,
            },
            Expr::Call(call) => call.function.gives(),
        }
    }

    /// The longest span in milliseconds before the evaluation time that it reads, look-back excluded.
    pub(crate) fn longest_range(&self) -> i64 {
        match self {
            Expr::Vector(selector) => selector.shift.offset,
            Expr::Matrix(selector, range) => selector.shift.offset.saturating_add(*range),
            Expr::Subquery(subquery) => subquery
                .expr
                .longest_range()
                .saturating_add(subquery.range)
                .saturating_add(subquery.shift.offset),
            other => {
                let children = other.children().into_iter();
                children.map(Expr::longest_range).max().unwrap_or(0)
            }
        }
    }
}
