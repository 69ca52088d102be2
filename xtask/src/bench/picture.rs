//! The picture: latency against the number of calls in flight, on logarithmic scales.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// Around the axes: left, right, top and bottom.
const EDGES: (f64, f64, f64, f64) = (80.0, 120.0, 40.0, 60.0);

/// In flight, and the microseconds of ours and of the bare one.
type Point = (f64, f64, f64);

/// Reads what `dintero-bench curve` prints.
pub(super) fn read(lines: &str) -> Result<Vec<Point>> {
    let point = |line: &str| {
        let mut fields = line.split(',').map(str::parse::<f64>);
        let mut field = || fields.next()?.ok();
        Some((field()?, field()?, field()?))
    };
    lines.lines().map(|line| point(line).with_context(|| format!("no point: {line}"))).collect()
}

/// Draws it.
pub(super) fn svg(points: &[Point]) -> String {
    let (left, right, top, bottom) = EDGES;
    let most = points.iter().map(|(at, ..)| *at).fold(2.0, f64::max);
    let times = || points.iter().flat_map(|(_, ours, bare)| [*ours, *bare]);
    let (low, high) = (times().fold(f64::MAX, f64::min).log10().floor(), times().fold(0.0, f64::max).log10().ceil());
    let x = |at: f64| left + (WIDTH - left - right) * at.log2() / most.log2();
    let y = |micros: f64| HEIGHT - bottom - (HEIGHT - top - bottom) * (micros.log10() - low) / (high - low);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{left}\" y=\"24\" font-size=\"15\">Latency of `get` (25 KB) by calls in flight</text>\n"
    );
    for (at, ..) in points {
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{at}</text>", x(*at), HEIGHT - 38.0);
    }
    let mut power = low;
    while power <= high {
        let (micros, at) = (10_f64.powf(power), y(10_f64.powf(power)));
        let text = if micros >= 1000.0 { format!("{} ms", micros / 1000.0) } else { format!("{micros} us") };
        let _ = writeln!(
            svg,
            "<line x1=\"{left}\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>",
            WIDTH - right,
            left - 8.0,
            at + 4.0
        );
        power += 1.0;
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">calls in flight</text>",
        (left + WIDTH - right) / 2.0,
        HEIGHT - 14.0
    );
    let mut line = |name: &str, colour: &str, shift: f64, of: &dyn Fn(&Point) -> f64| {
        let path: Vec<_> = points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(of(point)))).collect();
        let path = path.join(" ");
        let _ = writeln!(svg, "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
        if let Some(last) = points.last() {
            let (at, height) = (x(last.0) + 8.0, y(of(last)) + shift);
            let _ = writeln!(svg, "<text x=\"{at:.1}\" y=\"{height:.1}\" fill=\"{colour}\">{name}</text>");
        }
    };
    // Apart, where the lines end close to each other.
    line("dintero", "#1f5fbf", -4.0, &|point| point.1);
    line("bare reqwest", "#c0501f", 12.0, &|point| point.2);
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_further_right_and_longer_is_higher() {
        let svg = svg(&read("1,200.5,180\n64,9000,8000\n").unwrap());
        let lines: Vec<Vec<(f64, f64)>> = svg
            .lines()
            .filter_map(|line| line.strip_prefix("<polyline points=\"")?.split('"').next())
            .map(|path| {
                let point = |pair: &str| pair.split_once(',').map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()));
                path.split(' ').filter_map(point).collect()
            })
            .collect();
        let [ours, bare] = lines.try_into().unwrap();
        assert!(ours[0].0 < ours[1].0 && ours[0].1 > ours[1].1 && ours[0].1 < bare[0].1, "{svg}");
        assert!(read("1,2").is_err());
    }
}
