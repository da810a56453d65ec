//! An expression as a person looks at it: each series with its value and its last hour.

use maud::{Markup, html};

use super::spark::spark;
use super::{Frame, scrolling};
use crate::web::overview::{Course, Graph, Tone};

/// The page of an expression.
pub fn graph(graph: &Graph) -> Markup {
    let (heading, tone) = match &graph.courses {
        Ok(courses) => (found(courses.len() + graph.more), Tone::Info),
        Err(_) => ("This cannot be evaluated".to_owned(), Tone::Warning),
    };
    let frame = Frame {
        path: "/rules",
        title: "Expression",
        heading: &heading,
        more: "Of an alert's expression the side that is compared is shown, which is there whether it fires or not.",
        tone,
        refreshed: false,
        edition: graph.edition,
    };
    frame.around(&html! {
        section {
            h2 { "Expression" }
            (scrolling("Expression", &html! { pre { code { (graph.expression) } } }))
        }
        @match &graph.courses {
            Err(error) => section { p class="note critical" { (error) } }
            Ok(courses) => section {
                h2 { "The last hour" }
                (scrolling("Series", &table(courses)))
                @if graph.more > 0 { p class="quiet" { "and " (graph.more) " more" } }
            }
        }
    })
}

fn found(series: usize) -> String {
    match series {
        0 => "No series in the last hour".to_owned(),
        1 => "1 series".to_owned(),
        several => format!("{several} series"),
    }
}

fn table(courses: &[Course]) -> Markup {
    html! {
        table {
            thead { tr { th { "series" } th { "last value" } th { "course" } } }
            tbody {
                @for course in courses {
                    tr {
                        td { code { (course.labels) } }
                        td { (course.value) }
                        td { @if let Some(trend) = &course.trend { (spark(trend)) } }
                    }
                }
            }
        }
    }
}
