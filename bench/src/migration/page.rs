//! That the page shows what is compiled here.

const PAGE: &str = include_str!("../../../rate-core/src/migration.md");
const THEIRS: &str = include_str!("theirs.rs");
const OURS: &str = include_str!("ours.rs");

/// The cells of the rows that show code of governor.
fn rows() -> impl Iterator<Item = [&'static str; 3]> {
    PAGE.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<&str> = line[1..].trim_end_matches('|').split('|').map(str::trim).collect();
        cells.try_into().unwrap_or_else(|cells| panic!("a row has three cells: {cells:?}"))
    })
}

fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn shown_in(source: &str, code: &str) -> bool {
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    dense(source).contains(&dense(code))
}

#[test]
fn every_row_of_the_page_is_compiled() {
    let mut count = 0;
    for [theirs, ours, _] in rows() {
        for code in code(theirs) {
            assert!(shown_in(THEIRS, code), "governor's side has no `{code}`");
        }
        for code in code(ours) {
            assert!(shown_in(OURS, code), "our side has no `{code}`");
        }
        count += 1;
    }
    assert!(count >= 25, "{count} rows: the page is not written as it is read here");
}
