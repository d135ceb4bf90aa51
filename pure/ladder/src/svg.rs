//! A ladder as a picture: SVG 1.1 without script, readable on light and on dark ground, the same each time.

use std::fmt::{self, Write};

use crate::clean::{clean, escape, fit};
use crate::{Arrival, Ladder, Lifeline, Rung, Step, Tone, Way};

/// Pixels between two lifelines.
const GAP: usize = 300;
/// Pixels from the left edge to the first lifeline; the clock stands there.
const LEFT: usize = 150;
/// Pixels from one rung to the next.
const STEP: usize = 34;
/// Pixels to the first rung.
const TOP: usize = 64;
/// Pixels that a character takes, near enough.
const CHARACTER: usize = 8;

const STYLE: &str = "text{font:13px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}\
.name{font-weight:bold}.faint{fill:#6e7781;font-size:11px}\
line,path{stroke:#57606a;fill:none}.life{stroke:#afb8c1}.held{stroke-dasharray:3 4}\
.media{stroke-width:4;stroke-opacity:.5}\
.request{stroke:#0969da}.provisional{stroke:#9a6700}.success{stroke:#1a7f37}\
.detour{stroke:#8250df}.failure{stroke:#cf222e}.lost{stroke:#cf222e;stroke-dasharray:6 3}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.faint{fill:#8d96a0}line,path{stroke:#8d96a0}\
.life{stroke:#484f58}.request{stroke:#58a6ff}.provisional{stroke:#d29922}.success{stroke:#3fb950}\
.detour{stroke:#bc8cff}.failure,.lost{stroke:#f85149}}";

impl Ladder {
    /// The whole ladder as an SVG document.
    pub fn svg(&self) -> String {
        let mut svg = String::new();
        // Writing into a string cannot fail.
        let _ = self.draw(&mut svg);
        svg
    }

    fn draw(&self, svg: &mut String) -> fmt::Result {
        let width = LEFT + GAP * self.names().len().max(1);
        let bottom = TOP + STEP * self.rungs().len();
        let height = bottom + 24;
        write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>Call ladder: {}</title>\n\
             <style>{STYLE}</style>\n",
            escape(&self.names().join(", "))
        )?;
        for (column, name) in self.names().iter().enumerate() {
            let name = escape(&fit(name, GAP / CHARACTER));
            let x = x(column);
            writeln!(
                svg,
                "<text class=\"name\" x=\"{x}\" y=\"24\" text-anchor=\"middle\">{name}</text>"
            )?;
            self.lifeline_of(svg, column, bottom)?;
        }
        for (nth, rung) in self.rungs().iter().enumerate() {
            self.rung(svg, rung, TOP + STEP * nth)?;
        }
        if self.omitted() > 0 {
            writeln!(
                svg,
                "<text class=\"faint\" x=\"12\" y=\"{}\">… and {} more</text>",
                height - 6,
                self.omitted()
            )?;
        }
        svg.push_str("</svg>\n");
        Ok(())
    }

    /// A lifeline, solid and dotted in turns.
    fn lifeline_of(&self, svg: &mut String, column: usize, bottom: usize) -> fmt::Result {
        let (x, mut from, mut held) = (x(column), 34, false);
        let mut piece = |svg: &mut String, to: usize, held: bool| {
            let class = if held { "life held" } else { "life" };
            let line = writeln!(
                svg,
                "<line class=\"{class}\" x1=\"{x}\" y1=\"{from}\" x2=\"{x}\" y2=\"{to}\"/>"
            );
            from = to;
            line
        };
        for (nth, rung) in self.rungs().iter().enumerate() {
            let now = match rung.step {
                Step::Hold(line) if self.column(line) == column => true,
                Step::Resume(line) if self.column(line) == column => false,
                _ => held,
            };
            if now != held {
                piece(svg, TOP + STEP * nth, held)?;
                held = now;
            }
        }
        piece(svg, bottom, held)
    }

    fn rung(&self, svg: &mut String, rung: &Rung, y: usize) -> fmt::Result {
        let start = self.rungs().first().map_or(rung.at, |first| first.at);
        let millis = (rung.at - start).as_millis();
        let (seconds, millis) = (millis / 1000, millis % 1000);
        writeln!(
            svg,
            "<text class=\"faint\" x=\"64\" y=\"{}\" text-anchor=\"end\">{seconds}.{millis:03}</text>",
            y + 4
        )?;
        match &rung.step {
            Step::Arrow { from, to, label, .. } if self.column(*from) == self.column(*to) => {
                self.remark(svg, *from, label, y)?;
            }
            Step::Arrow { from, to, label, tone, arrival } => {
                let (from, to) = (x(self.column(*from)), x(self.column(*to)));
                let (class, to) = match arrival {
                    Arrival::Lost => ("lost", short(from, to)),
                    Arrival::Arrived => (class(*tone), to),
                };
                shaft(svg, class, (from, to), y)?;
                let head = match arrival {
                    Arrival::Lost => cross(to, y),
                    Arrival::Arrived => head(from, to, y),
                };
                writeln!(svg, "<path class=\"{class}\" d=\"{head}\"/>")?;
                over(svg, (from, to), y, label)?;
            }
            Step::Media { a, b, label, way } => {
                let (a, b) = (x(self.column(*a)), x(self.column(*b)));
                shaft(svg, "media", (a, b), y)?;
                if *way != Way::Back {
                    writeln!(svg, "<path d=\"{}\"/>", head(a, b, y))?;
                }
                if *way != Way::Forth {
                    writeln!(svg, "<path d=\"{}\"/>", head(b, a, y))?;
                }
                over(svg, (a, b), y, label)?;
            }
            Step::Remark { at, text } => self.remark(svg, *at, text, y)?,
            Step::Hold(line) => self.remark(svg, *line, "on hold", y)?,
            Step::Resume(line) => self.remark(svg, *line, "back", y)?,
            Step::Caption(text) => {
                let text = escape(&clean(text));
                writeln!(svg, "<text class=\"name\" x=\"80\" y=\"{}\">{text}</text>", y + 4)?;
            }
        }
        let Some(note) = &rung.note else { return Ok(()) };
        let note = escape(&clean(note));
        writeln!(svg, "<text class=\"faint\" x=\"{}\" y=\"{}\">{note}</text>", x(0) + 8, y + 14)
    }

    fn remark(&self, svg: &mut String, at: Lifeline, text: &str, y: usize) -> fmt::Result {
        let x = x(self.column(at)) + 8;
        writeln!(svg, "<text x=\"{x}\" y=\"{}\">{}</text>", y + 4, escape(&clean(text)))
    }

    fn column(&self, line: Lifeline) -> usize {
        line.0.min(self.names().len().saturating_sub(1))
    }
}

const fn x(column: usize) -> usize {
    LEFT + GAP * column
}

/// Where an arrow ends that does not get there.
const fn short(from: usize, to: usize) -> usize {
    let missing = from.abs_diff(to) / 5;
    if from < to { to - missing } else { to + missing }
}

fn shaft(svg: &mut String, class: &str, (from, to): (usize, usize), y: usize) -> fmt::Result {
    writeln!(svg, "<line class=\"{class}\" x1=\"{from}\" y1=\"{y}\" x2=\"{to}\" y2=\"{y}\"/>")
}

/// The label over the middle of an arrow, cut to its length; whole when the pointer rests on it.
fn over(svg: &mut String, (from, to): (usize, usize), y: usize, label: &str) -> fmt::Result {
    let label = clean(label);
    let short = escape(&fit(&label, from.abs_diff(to) / CHARACTER));
    let (x, y, whole) = (usize::midpoint(from, to), y.saturating_sub(5), escape(&label));
    writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{short}<title>{whole}</title></text>"
    )
}

/// The head of an arrow that comes from `from`.
fn head(from: usize, to: usize, y: usize) -> String {
    let back = if from < to { to.saturating_sub(8) } else { to + 8 };
    format!("M{back} {} L{to} {y} L{back} {}", y.saturating_sub(4), y + 4)
}

/// The cross at the end of an arrow that got lost.
fn cross(at: usize, y: usize) -> String {
    let (left, right, top, low) = (at.saturating_sub(5), at + 5, y.saturating_sub(5), y + 5);
    format!("M{left} {top} L{right} {low} M{left} {low} L{right} {top}")
}

const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Request => "request",
        Tone::Provisional => "provisional",
        Tone::Success => "success",
        Tone::Detour => "detour",
        Tone::Failure => "failure",
    }
}
