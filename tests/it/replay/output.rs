//! What is printed, to the letter.

use std::collections::BTreeSet;

use super::program::{feed, finish, path, run, start};

fn requests(clients: &[(&str, usize)]) -> String {
    let lines = |&(client, count): &(&str, usize)| {
        format!("{client} - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 1\n").repeat(count)
    };
    clients.iter().map(lines).collect()
}

#[test]
fn json_has_exactly_the_documented_members_in_their_order() {
    let log = requests(&[("b", 3), ("quote\"", 2), ("a", 3), ("c", 1)]) + "junk\n";
    let run = run(&["--json", "--show-keys", "--quota", "1/sec", "--quota", "3/s burst 3"], log.as_bytes());
    assert_eq!(run.code, Some(0));
    assert_eq!(
        run.stdout,
        "{\"requests\":9,\"keys\":4,\"unparsed\":1,\"policies\":[\
         {\"quota\":\"1/s\",\"allowed\":4,\"denied\":5,\"top_denied\":[\
         {\"key\":\"a\",\"denied\":2},{\"key\":\"b\",\"denied\":2},{\"key\":\"quote\\\"\",\"denied\":1}]},\
         {\"quota\":\"3/s\",\"allowed\":9,\"denied\":0,\"top_denied\":[]}]}\n"
    );
    assert_eq!(run.stderr, "line 10: it has one column: junk\n");
}

#[test]
fn the_default_is_ten_clients_by_digest_under_ten_a_second() {
    let names: Vec<_> = (0..12).map(|number| format!("client-{number}")).collect();
    let clients: Vec<_> =
        names.iter().enumerate().map(|(number, name)| (name.as_str(), 22 + number)).collect();
    let run = run(&["--json", "--quota", "1/s", "--quota", "10/s burst 20"], requests(&clients).as_bytes());
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(json["policies"][1]["quota"], "10/s burst 20");

    let mut keys = BTreeSet::new();
    for policy in 0..2 {
        let top = json["policies"][policy]["top_denied"].as_array().expect("a list");
        assert_eq!(top.len(), 10);
        let denied: Vec<_> = top.iter().map(|top| top["denied"].as_u64().expect("a number")).collect();
        let most = if policy == 0 { 32 } else { 13 };
        assert_eq!(denied, (most - 9..=most).rev().collect::<Vec<_>>());
        for key in top.iter().map(|top| top["key"].as_str().expect("a text")) {
            assert!(
                key.len() == 16 && key.bytes().all(|digit| b"0123456789abcdef".contains(&digit)),
                "{key}"
            );
            keys.insert(key.to_owned());
        }
    }
    assert_eq!(keys.len(), 10, "a client has one digest under all quotas");
    assert!(!run.stdout.contains("client-"));
}

#[test]
fn without_a_quota_the_documented_default_is_replayed() {
    let run = run(&["--json", "--top", "0"], requests(&[("a", 21)]).as_bytes());
    assert_eq!(
        run.stdout,
        "{\"requests\":21,\"keys\":1,\"unparsed\":0,\"policies\":[\
         {\"quota\":\"10/s burst 20\",\"allowed\":20,\"denied\":1,\"top_denied\":[]}]}\n"
    );
}

#[test]
fn the_table_has_a_row_for_each_quota() {
    let log = requests(&[("192.0.2.1", 30), ("192.0.2.2", 10)]);
    let run = run(
        &["--show-keys", "--quota", "10/s burst 20", "--quota", "1/s", "--quota", "100/s"],
        log.as_bytes(),
    );
    assert_eq!(run.code, Some(0));
    assert_eq!(
        run.stdout,
        "40 requests from 2 clients; 0 lines could not be read; 0 were older than one before them\n\
         \n\
         quota          allowed  denied   share  top denied\n\
         10/s burst 20       30      10  25.00%  192.0.2.1 (10)\n\
         1/s                  2      38  95.00%  192.0.2.1 (29), 192.0.2.2 (9)\n\
         100/s               40       0   0.00%\n"
    );
    assert_eq!(run.stderr, "", "no progress bar where there is no terminal");
}

#[test]
fn help_names_every_option() {
    for option in ["--help", "-h"] {
        let run = run(&[option, "missing.log"], b"");
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        for option in ["--quota", "--top", "--show-keys", "--json", "--help", "LOG"] {
            assert!(run.stdout.contains(option), "{option} is not in the help");
        }
    }
}

/// `replay log | head` once ended in a panic, and would have done so for the reports of unreadable lines, too.
#[test]
fn a_reader_that_leaves_is_no_error() {
    let log = requests(&[("a", 3)]) + &"junk\n".repeat(20);
    for args in [&["--json"][..], &[], &["--help"]] {
        let mut child = start(std::process::Command::new(path()).args(args));
        // Both ends are closed before there is anything to write, for the program is still waiting for its log.
        drop((child.stdout.take(), child.stderr.take()));
        feed(&mut child, vec![log.clone().into_bytes()]);
        assert_eq!(finish(child).code, Some(0), "{args:?}");
    }
}
