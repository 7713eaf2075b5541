//! What is printed.

use serde_json::Value;

use crate::log::Log;
use crate::run::Outcome;

/// How many of the clients that were denied most stand in a row of the table.
const IN_A_ROW: usize = 3;

/// One line of JSON.
///
/// Put together here, for a map of `serde_json` sorts its members by name.
pub(crate) fn json(log: &Log, outcomes: &[Outcome]) -> String {
    let policies: Vec<_> = outcomes.iter().map(policy).collect();
    format!(
        "{{\"requests\":{},\"keys\":{},\"unparsed\":{},\"policies\":[{}]}}\n",
        log.requests.len(),
        log.clients.len(),
        log.unparsed,
        policies.join(",")
    )
}

fn policy(outcome: &Outcome) -> String {
    let top: Vec<_> = outcome
        .top_denied
        .iter()
        .map(|(key, denied)| format!("{{\"key\":{},\"denied\":{denied}}}", Value::from(key.as_str())))
        .collect();
    format!(
        "{{\"quota\":{},\"allowed\":{},\"denied\":{},\"top_denied\":[{}]}}",
        Value::from(outcome.quota.to_string()),
        outcome.allowed,
        outcome.denied,
        top.join(",")
    )
}

/// A summary and a table with one row for each quota.
pub(crate) fn table(log: &Log, outcomes: &[Outcome]) -> String {
    let mut rows = vec![["quota", "allowed", "denied", "share", "top denied"].map(str::to_owned)];
    rows.extend(outcomes.iter().map(row));

    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [quota, allowed, denied, share] = [0, 1, 2, 3].map(width);
    let mut text = format!(
        "{} requests from {} clients; {} lines could not be read; {} were older than one before them\n\n",
        log.requests.len(),
        log.clients.len(),
        log.unparsed,
        log.late
    );
    for [a, b, c, d, e] in &rows {
        text += format!("{a:quota$}  {b:>allowed$}  {c:>denied$}  {d:>share$}  {e}").trim_end();
        text.push('\n');
    }
    text
}

fn row(outcome: &Outcome) -> [String; 5] {
    let share = outcome.denied as f64 / (outcome.allowed + outcome.denied) as f64 * 100.0;
    let top: Vec<_> =
        outcome.top_denied.iter().take(IN_A_ROW).map(|(key, denied)| format!("{key} ({denied})")).collect();
    [
        outcome.quota.to_string(),
        outcome.allowed.to_string(),
        outcome.denied.to_string(),
        format!("{share:.2}%"),
        top.join(", "),
    ]
}
