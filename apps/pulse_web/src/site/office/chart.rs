//! A bar chart with its trend, drawn as SVG.
//!
//! **Invariant.** Every value is drawn within the frame, and what is seen is said too: a title and a description stand in
//! the picture.

use live::html::Component;
use live::{Rendered, each, html};

use super::trade::trend;

/// The picture's size and where its frame lies, in units of the picture. Small, so that on a phone its words can be read.
const WIDTH: i64 = 360;
const HEIGHT: i64 = 168;
const LEFT: i64 = 52;
const TOP: i64 = 10;
const BOTTOM: i64 = HEIGHT - 24;
const RIGHT: i64 = WIDTH - 4;

/// Bars over time, the newest on the right.
pub(crate) struct Chart<'a> {
    /// Names it among those on the page.
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    /// What there is to see, in a sentence.
    pub(crate) description: String,
    /// Not negative; a negative one is drawn as none.
    pub(crate) values: &'a [i64],
    /// How a value is written at the axis.
    pub(crate) label: fn(i64) -> String,
    /// The least that the axis goes up to.
    pub(crate) least: i64,
    /// What stands below the left end, the middle and the right one.
    pub(crate) when: [&'a str; 3],
}

/// The end of an axis that goes up to `value`: 2, 4 or 10 times a power of ten, so that its half is whole.
fn ceiling(value: i64) -> i64 {
    let mut power: i64 = 1;
    loop {
        for step in [2, 4, 10] {
            let end = power.saturating_mul(step);
            if end >= value || end == i64::MAX {
                return end;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// How high a value is drawn, in tenths of a unit.
fn height(value: i64, end: i64) -> i64 {
    let full = i128::from((BOTTOM - TOP) * 10);
    let drawn = i128::from(value.clamp(0, end)) * full / i128::from(end.max(1));
    i64::try_from(drawn).unwrap_or(0)
}

/// A length in tenths of a unit, as SVG writes it.
fn tenths(length: i64) -> String {
    format!("{}.{}", length / 10, length % 10)
}

struct Bar {
    x: String,
    y: String,
    width: String,
    height: String,
}

fn bars(values: &[i64], end: i64) -> Vec<Bar> {
    let count = i64::try_from(values.len()).unwrap_or(1).max(1);
    let place = |n: i64| LEFT * 10 + (RIGHT - LEFT) * 10 * n / count;
    let bar = |(n, value): (i64, &i64)| {
        let high = height(*value, end);
        let wide = (place(n + 1) - place(n) - 10).max(10);
        Bar { x: tenths(place(n)), y: tenths(BOTTOM * 10 - high), width: tenths(wide), height: tenths(high) }
    };
    (0..).zip(values).map(bar).collect()
}

/// The trend's points, each over the middle of its bar.
fn points(values: &[i64], end: i64) -> String {
    let count = i64::try_from(values.len()).unwrap_or(1).max(1);
    let point = |(n, value): (i64, &i64)| {
        let x = LEFT * 10 + (RIGHT - LEFT) * 10 * (2 * n + 1) / (2 * count);
        format!("{},{}", tenths(x), tenths(BOTTOM * 10 - height(*value, end)))
    };
    let points: Vec<String> = (0..).zip(&trend(values)).map(point).collect();
    points.join(" ")
}

impl Component for Chart<'_> {
    fn render(self) -> Rendered {
        let Self { id, title, description, values, label, least, when } = self;
        let end = ceiling(values.iter().copied().max().unwrap_or(0).max(least));
        let (title_id, text_id) = (format!("{id}-title"), format!("{id}-text"));
        let lines = [(0, BOTTOM), (end / 2, i64::midpoint(TOP, BOTTOM)), (end, TOP)];
        let whens = [("start", LEFT), ("middle", i64::midpoint(LEFT, RIGHT)), ("end", RIGHT)];
        html! {
            <svg class="chart" viewBox={format!("0 0 {WIDTH} {HEIGHT}")} role="img" aria-labelledby={title_id.as_str()} aria-describedby={text_id.as_str()}>
                <title id={title_id.as_str()}>{title}</title>
                <desc id={text_id.as_str()}>{description}</desc>
                {each(&lines, |(_, y)| *y, |(value, y)| html! {
                    <g>
                        <line class="axis" x1={LEFT} x2={RIGHT} y1={*y} y2={*y}/>
                        <text x={LEFT - 6} y={*y + 4} text-anchor="end">{label(*value)}</text>
                    </g>
                })}
                {each((0_usize..).zip(bars(values, end)), |(n, _)| *n, |(_, bar)| html! {
                    <rect class="bar" x={bar.x} y={bar.y} width={bar.width} height={bar.height}/>
                })}
                <polyline class="trend" points={points(values, end)}/>
                {each(whens.iter().zip(when), |((anchor, _), _)| *anchor, |((anchor, x), when)| html! {
                    <text x={*x} y={HEIGHT - 6} text-anchor={*anchor}>{when}</text>
                })}
            </svg>
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_that_holds_the_value() {
        let ends = [0, 2, 3, 5, 10, 11, 39, 41, 1_000, 1_001].map(ceiling);
        assert_eq!(ends, [2, 2, 4, 10, 10, 20, 40, 100, 1_000, 2_000]);
        assert!(ceiling(i64::MAX) == i64::MAX);
    }

    #[test]
    fn every_value_stays_within_the_frame() {
        for (value, end) in [(-5, 10), (0, 10), (5, 10), (10, 10), (11, 10), (i64::MAX, i64::MAX), (1, 0)] {
            let drawn = height(value, end);
            assert!((0..=(BOTTOM - TOP) * 10).contains(&drawn), "{value} of {end} is {drawn} high");
        }
        assert_eq!(height(5, 10), (BOTTOM - TOP) * 5);
        let bars = bars(&[1; 60], 2);
        let last = &bars[59];
        let right = last.x.parse::<f64>().unwrap_or_default() + last.width.parse::<f64>().unwrap_or_default();
        assert!(bars.len() == 60 && right <= 356.0, "{right}");
    }

    #[test]
    fn the_picture_says_what_it_shows() {
        let chart = Chart {
            id: "orders",
            title: "Orders a minute",
            description: "7 orders in the last hour.".to_owned(),
            values: &[0, 3, 4],
            label: |value| value.to_string(),
            least: 2,
            when: ["1 h ago", "", "now"],
        };
        let markup = chart.render().to_html();
        for part in
            ["role=\"img\"", "aria-labelledby=\"orders-title\"", ">Orders a minute</title>", ">7 orders in"]
        {
            assert!(markup.contains(part), "{part} in {markup}");
        }
        assert_eq!(markup.matches("<rect").count(), 3);
        assert!(markup.contains("points=\"102.6,144.0 204.0,110.5 305.3,77.0\""), "{markup}");
    }
}
