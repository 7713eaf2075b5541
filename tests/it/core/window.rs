//! What a book of admissions comes to.

/// The most units in any half-open window of so many ticks, of instants in order and the units taken at each.
pub(crate) fn most_in_a_window(taken: &[(u64, u64)], window: u64) -> u64 {
    let (mut first, mut units, mut most) = (0, 0, 0);
    for (at, more) in taken {
        units += more;
        while at - taken[first].0 >= window {
            units -= taken[first].1;
            first += 1;
        }
        most = most.max(units);
    }
    most
}
