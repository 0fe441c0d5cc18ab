//! How a cost grows with the size of its input.
//!
//! **Invariant.** The exponent depends on the shape alone: a machine that is twice as slow gives the same one.

/// The exponent e of a cost that grows as n^e, measured at n, 2n, 4n and 8n: about 0 for flat, 1 for linear, 2 for
/// quadratic. A logarithm shows as a little more.
///
/// The cost may be a count (then it is exact), or CPU time ([`cpu`](crate::cpu())) of a few milliseconds or more.
/// Of each size the least of three is taken: what disturbs only adds. The slope is that of the least squares line
/// through the logarithms.
///
/// ```
/// let pairs = gate::growth(100, |n| (n * (n - 1) / 2) as f64);
/// assert!((1.9..2.1).contains(&pairs));
/// ```
pub fn growth(n: usize, mut cost: impl FnMut(usize) -> f64) -> f64 {
    let points: Vec<(f64, f64)> = [1, 2, 4, 8]
        .into_iter()
        .map(|factor| {
            let size = n * factor;
            let least = (0..3).map(|_| cost(size)).fold(f64::INFINITY, f64::min);
            // A cost of zero has no logarithm; below one of anything nothing is to be seen.
            (log(size), least.max(f64::MIN_POSITIVE).ln())
        })
        .collect();
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / 4.0;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let above: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let below: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    above / below
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn log(size: usize) -> f64 {
    (size as f64).ln()
}
