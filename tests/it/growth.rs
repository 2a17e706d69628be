//! Work grows with the code and no faster, whatever the code looks like. What is allocated meanwhile
//! stands for the work: it is the same on every machine and in every run.

use ctxlint::check::check;
use ctxlint::report::Report;

use crate::fuzz::allocated::{Counting, bytes};
use crate::fuzz::laws::{everything, on};
use crate::fuzz::seeds::loose;
use crate::fuzz::shapes::{SHAPES, Shape};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How much more work for each byte twice the code may be. What grows with the square comes to twice
/// as much, except for what little of it does not grow at all.
const MARGIN: f64 = 1.4;

/// What grows faster, within bounds. Values and types are copied with all that is in them: by how deep
/// they are nested, which the parser bounds. A name that no module has is looked for in all that are in
/// one circle of globs, again for each module that asks: by how many they are, up to the steps of one search.
const KNOWN: [&str; 2] = ["tuples, one in another", "modules that take all from each other"];

#[test]
fn work_grows_with_the_code() {
    // The first check of all reads the models.
    work("");
    let none = work("");
    let too_much: Vec<String> = SHAPES
        .iter()
        .filter(|shape| !KNOWN.contains(&shape.name))
        .filter_map(|shape| grows_faster(shape, none))
        .collect();
    assert!(too_much.is_empty(), "{}", too_much.join("\n"));
}

fn grows_faster(shape: &Shape, none: u64) -> Option<String> {
    let [(less, little), (more, much)] = [2, 4].map(|times| {
        let text = (shape.text)(shape.least * times);
        (text.len() as f64, work(&text).saturating_sub(none) as f64)
    });
    let growth = (much / little) / (more / less);
    (growth > MARGIN).then(|| format!("{}: {growth:.2} times the work for each byte of twice the code", shape.name))
}

/// The bytes allocated by a check of this text with every rule.
fn work(text: &str) -> u64 {
    let (workspace, config) = (loose(text), everything());
    on(1, || {
        let before = bytes();
        let report: Report = check(&workspace, &config);
        assert_eq!(report.failures, [""; 0]);
        bytes() - before
    })
}
