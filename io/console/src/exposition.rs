//! `Exposition`: a page of metrics in Prometheus' text format, version 0.0.4.

use std::fmt::{Display, Write as _};

/// A page of metrics.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process starts anew.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// One family of the page: all its samples are written before the next one begins.
#[derive(Debug)]
pub struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

/// Labels of a sample, with their values.
type Labels<'a> = &'a [(&'a str, &'a str)];

impl Exposition {
    /// Begins a family. The help is one sentence; names end in their unit, those of counters in `_total`.
    pub fn family(&mut self, kind: Kind, name: &'static str, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        let text = &mut self.text;
        text.extend(["# HELP ", name, " ", &help, "\n# TYPE ", name, " ", kind, "\n"]);
        Family { text, name }
    }

    /// A family with one sample without labels.
    pub fn single(&mut self, kind: Kind, name: &'static str, help: &str, value: impl Display) {
        self.family(kind, name, help).sample(&[], value);
    }

    /// The page.
    pub fn into_text(self) -> String {
        self.text
    }
}

impl Family<'_> {
    /// A sample.
    pub fn sample(&mut self, labels: Labels<'_>, value: impl Display) -> &mut Self {
        self.line("", labels, value);
        self
    }

    /// A histogram: how many there were up to each bound, those below it counted too; how many there were in all, and their sum.
    pub fn histogram(
        &mut self,
        labels: Labels<'_>,
        up_to: impl Iterator<Item = (f64, u64)>,
        (count, sum): (u64, f64),
    ) -> &mut Self {
        let last = ("+Inf".to_owned(), count);
        let bounds = up_to.map(|(bound, count)| (bound.to_string(), count)).chain([last]);
        for (bound, count) in bounds {
            let mut labels = labels.to_vec();
            labels.push(("le", &bound));
            self.line("_bucket", &labels, count);
        }
        self.line("_sum", labels, sum);
        self.line("_count", labels, count);
        self
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, value: impl Display) {
        self.text.extend([self.name, suffix]);
        for (place, (name, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.text.extend([if place == 0 { "{" } else { "," }, name, "=\"", &value, "\""]);
        }
        // Writing into a String cannot fail.
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_as_the_format_says() {
        let mut page = Exposition::default();
        page.single(Kind::Gauge, "up", "Is \\ it\nup", 1);
        let mut family = page.family(Kind::Counter, "a_total", "A.");
        family.sample(&[("method", "IN\"V\\ITE\n"), ("way", "in")], 3).sample(&[], 0.5);
        let mut family = page.family(Kind::Histogram, "t_seconds", "T.");
        family.histogram(&[("x", "y")], [(0.001, 2), (1.0, 3)].into_iter(), (4, 2.5));
        let expected = "# HELP up Is \\\\ it\\nup\n# TYPE up gauge\nup 1\n\
            # HELP a_total A.\n# TYPE a_total counter\n\
            a_total{method=\"IN\\\"V\\\\ITE\\n\",way=\"in\"} 3\na_total 0.5\n\
            # HELP t_seconds T.\n# TYPE t_seconds histogram\n\
            t_seconds_bucket{x=\"y\",le=\"0.001\"} 2\nt_seconds_bucket{x=\"y\",le=\"1\"} 3\n\
            t_seconds_bucket{x=\"y\",le=\"+Inf\"} 4\nt_seconds_sum{x=\"y\"} 2.5\nt_seconds_count{x=\"y\"} 4\n";
        assert_eq!(page.into_text(), expected);
    }
}
