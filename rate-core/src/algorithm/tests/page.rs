//! Tables of the page "which algorithm", which are made here and only printed there.

const PAGE: &str = include_str!("../algorithms.md");

/// That the page has `table` between its marks.
#[track_caller]
pub(super) fn assert_printed(name: &str, table: &str) {
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->\n"));
    let printed = PAGE.split_once(&begin).and_then(|(_, rest)| rest.split_once(&end)).map(|(table, _)| table);
    let is_printed = printed.is_some_and(|printed| printed.trim() == table.trim());
    assert!(is_printed, "between the marks {name:?} algorithms.md should have this:\n\n{table}\n");
}
