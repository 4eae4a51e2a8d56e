//! The comparisons as a picture: a bar for each back end beside each peer, on a logarithmic scale, and a mark where it has to reach.

use core::fmt::Write;

use tdea::Backend;

use crate::harness::name;
use crate::report::{Comparison, figure};

const WIDTH: f64 = 860.0;
/// Where the scale starts and ends, and the ratios there.
const LEFT: f64 = 330.0;
const RIGHT: f64 = 800.0;
const SCALE: (f64, f64) = (0.3, 300.0);
const TOP: f64 = 64.0;
const BAR: f64 = 9.0;
const GAP: f64 = 9.0;

/// Colours that hold on a light ground and on a dark one; the text follows what the reader prefers.
const STYLE: &str = "
    text { font: 12px system-ui, sans-serif; fill: #24292f; }
    .small { font-size: 10px; fill: #57606a; }
    .grid { stroke: #d0d7de; stroke-width: 1; }
    .mark { stroke: #24292f; stroke-width: 2; }
    .avx512 { fill: #2f81f7; } .avx2 { fill: #2da44e; } .u64 { fill: #bf8700; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; } .small { fill: #9198a1; } .grid { stroke: #3d444d; } .mark { stroke: #e6edf3; }
    }
";

/// The picture; the comparisons of a work with a peer stand together.
pub(crate) fn svg(comparisons: &[Comparison]) -> String {
    let mut body = String::new();
    let mut y = TOP;
    let mut title = "";
    for group in comparisons.chunk_by(|one, next| one.work.id == next.work.id && one.peer == next.peer) {
        if group[0].work.title != title {
            title = group[0].work.title;
            y += GAP;
            writeln!(body, r#"<text x="8" y="{:.0}">{}</text>"#, y + 11.0, escaped(title)).unwrap();
            y += 17.0;
        }
        let middle = y + BAR * small(group.len()) / 2.0 + 4.0;
        writeln!(
            body,
            r#"<text x="{:.0}" y="{middle:.0}" text-anchor="end">against {}</text>"#,
            LEFT - 8.0,
            group[0].peer
        )
        .unwrap();
        for comparison in group {
            bar(&mut body, y, comparison);
            y += BAR;
        }
        y += GAP;
    }
    let height = y + 12.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         aria-label=\"How many times faster the bulk engine is than its peers\">\n<style>{STYLE}</style>\n{}{}{body}</svg>\n",
        legend(),
        grid(y),
    )
}

fn bar(body: &mut String, y: f64, comparison: &Comparison) {
    let (start, end) = (position(1.0), position(comparison.ratio));
    let (x, width) = (start.min(end), (end - start).abs());
    let class = class(comparison.backend);
    writeln!(
        body,
        r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{:.1}"/>"#,
        BAR - 1.0
    )
    .unwrap();
    let mut text = start.max(end);
    if let Some(bar) = comparison.bar {
        let x = position(bar);
        writeln!(body, r#"<path class="mark" d="M{x:.1} {:.1}v{:.1}"/>"#, y - 0.5, BAR).unwrap();
        text = text.max(x);
    }
    let (x, y) = (text + 5.0, y + BAR - 1.0);
    writeln!(body, r#"<text class="small" x="{x:.1}" y="{y:.1}">{}</text>"#, figure(comparison.ratio))
        .unwrap();
}

fn legend() -> String {
    let mut text = String::from(
        "<text x=\"8\" y=\"18\">How many times faster than the peer, one thread; more is better</text>\n",
    );
    for (index, backend) in [Backend::Avx512, Backend::Avx2, Backend::Portable].into_iter().enumerate() {
        let x = 8.0 + 80.0 * small(index);
        writeln!(
            text,
            r#"<rect class="{}" x="{x}" y="28" width="10" height="10"/><text x="{}" y="37">{}</text>"#,
            class(backend),
            x + 15.0,
            name(backend)
        )
        .unwrap();
    }
    text + "<path class=\"mark\" d=\"M254 28v10\"/><text x=\"262\" y=\"37\">the bar</text>\n"
}

fn grid(bottom: f64) -> String {
    let mut text = String::new();
    for ratio in [1, 3, 10, 30, 100] {
        let x = position(f64::from(ratio));
        writeln!(text, r#"<path class="grid" d="M{x:.1} {TOP}V{bottom:.0}"/><text class="small" x="{x:.1}" y="{}" text-anchor="middle">{ratio}×</text>"#, TOP - 6.0).unwrap();
    }
    text
}

fn position(ratio: f64) -> f64 {
    let (least, most) = SCALE;
    LEFT + (RIGHT - LEFT) * (ratio / least).ln() / (most / least).ln()
}

const fn class(backend: Backend) -> &'static str {
    match backend {
        Backend::Avx512 => "avx512",
        Backend::Avx2 => "avx2",
        _ => "u64",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[allow(clippy::cast_precision_loss, reason = "a few bars")]
const fn small(number: usize) -> f64 {
    number as f64
}
