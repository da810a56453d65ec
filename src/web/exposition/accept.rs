//! What the client asks for in `Accept` and `Accept-Encoding`.

/// The two exposition formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Format {
    /// Prometheus text 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Format {
    /// OpenMetrics where the client names it and likes it no less than plain text, else text.
    pub(super) fn negotiate(accept: &str) -> Format {
        let best = |kind: &str, version: &str| {
            let asked = ranges(accept).filter(|range| range.kind.eq_ignore_ascii_case(kind));
            asked
                .filter(|range| range.version.is_none_or(|asked| asked == version))
                .map(|range| range.quality)
                .fold(0.0, f64::max)
        };
        let open = best("application/openmetrics-text", "1.0.0");
        if open > 0.0 && open >= best("text/plain", "0.0.4") {
            Format::OpenMetrics
        } else {
            Format::Text
        }
    }

    /// The media type of the answer.
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Whether an `Accept-Encoding` takes gzip.
pub(super) fn takes_gzip(accept_encoding: &str) -> bool {
    let quality = |name: &str| {
        ranges(accept_encoding)
            .find(|range| range.kind.eq_ignore_ascii_case(name))
            .map(|range| range.quality)
    };
    quality("gzip").or_else(|| quality("*")).unwrap_or(0.0) > 0.0
}

struct Range<'h> {
    kind: &'h str,
    version: Option<&'h str>,
    quality: f64,
}

fn ranges(header: &str) -> impl Iterator<Item = Range<'_>> {
    header.split(',').map(|part| {
        let mut pieces = part.split(';').map(str::trim);
        let kind = pieces.next().unwrap_or_default();
        let (mut version, mut quality) = (None, 1.0);
        for (name, value) in pieces.filter_map(|piece| piece.split_once('=')) {
            match name.trim_end() {
                "version" => version = Some(value.trim_matches([' ', '"'])),
                "q" => quality = value.trim_start().parse().unwrap_or(0.0),
                _ => {}
            }
        }
        Range {
            kind,
            version,
            quality,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_the_accept_header() {
        let cases = [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            (
                "Application/OpenMetrics-Text; version=1.0.0",
                Format::OpenMetrics,
            ),
            ("application/openmetrics-text; version=0.0.1", Format::Text),
            (
                "application/openmetrics-text;q=0, text/plain;q=0.1",
                Format::Text,
            ),
            (
                "application/openmetrics-text;q=0.4,text/plain;q=0.5",
                Format::Text,
            ),
            (
                "text/plain;version=0.0.4;q=0.5,application/openmetrics-text;q=0.5",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Text),
            ("application/openmetrics-text;q=banana", Format::Text),
        ];
        for (accept, expected) in cases {
            assert_eq!(Format::negotiate(accept), expected, "{accept}");
        }
    }

    #[test]
    fn gzip_is_for_those_who_take_it() {
        let cases = [
            ("", false),
            ("identity", false),
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("*", true),
            ("gzip;q=0, *", false),
        ];
        for (header, expected) in cases {
            assert_eq!(takes_gzip(header), expected, "{header}");
        }
    }
}
