//! The examples, as somebody runs them.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt;

use super::support::{get, request, text};

#[expect(dead_code, reason = "its `main` is the example's")]
#[path = "../../../examples/custom_key.rs"]
mod custom_key;

/// An example beside the tests' own binary, where Cargo puts it.
pub(crate) fn example(name: &str) -> Command {
    let itself = env::current_exe().unwrap();
    let profile = itself.ancestors().nth(2).unwrap();
    let path: PathBuf = [profile, "examples".as_ref(), name.as_ref()].iter().collect();
    let path = path.with_extension(env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is not built; `cargo build --examples` builds it", path.display());
    let mut command = Command::new(path);
    command.env_remove("QUOTA").env("ADDR", "127.0.0.1:0");
    command
}

/// A server that is stopped when the test is over.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
    greeting: String,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        stdout.read_line(&mut greeting).unwrap();
        let address =
            greeting.split_once("http://").and_then(|(_, rest)| rest.split_once('/')).unwrap_or_else(|| {
                let mut errors = String::new();
                let _ = child.stderr.take().unwrap().read_to_string(&mut errors);
                panic!("it said {greeting:?} and {errors:?}")
            });
        let address = address.0.parse().unwrap();
        Self { child, stdout, address, greeting }
    }

    /// What it prints after the greeting, so many lines of it.
    fn lines(&mut self, count: usize) -> Vec<String> {
        let line = |_| {
            let mut line = String::new();
            self.stdout.read_line(&mut line).unwrap();
            line.trim().to_owned()
        };
        (0..count).map(line).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn quickstart_serves_its_quota_and_refuses_beyond_it() {
    let mut command = example("quickstart");
    command.env("QUOTA", "1/h burst 3");
    let mut server = Server::start(command);
    let to = server.address;
    assert_eq!(
        server.greeting.trim(),
        format!("Serving http://{to}/ with a limit of 1/h burst 3 for each client. Try")
    );
    let tries = server.lines(2);
    assert_eq!(tries[0], format!("curl -i http://{to}/"));
    assert!(
        tries[1].starts_with("curl ") && tries[1].ends_with(&format!("'http://{to}/?[1-8]'")),
        "{tries:?}"
    );

    for left in [2, 1, 0] {
        let reply = get(to).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "Hello, World!\n"));
        assert_eq!(reply.header("ratelimit-policy"), Some(r#""default";q=3;w=10800"#));
        let limit = reply.header("ratelimit").unwrap();
        assert!(limit.starts_with(&format!(r#""default";r={left};t="#)), "{limit}");
    }
    let refusal = get(to).await;
    assert_eq!(refusal.status, 429);
    assert_eq!(refusal.header("content-type"), Some("application/problem+json"));
    let wait: u64 = refusal.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3_600).contains(&wait), "{wait}");
    assert_eq!(refusal.json()["violated-policies"], serde_json::json!(["default"]));
    assert_eq!(request("GET", to, "/nowhere").await.status, 429);
}

#[tokio::test]
async fn quickstart_has_a_quota_of_its_own() {
    let server = Server::start(example("quickstart"));
    assert!(server.greeting.contains(" with a limit of 10/s burst 20 "), "{}", server.greeting);
    assert_eq!(get(server.address).await.header("ratelimit-policy"), Some(r#""default";q=20;w=2"#));
}

#[tokio::test]
async fn quickstart_counts_by_any_algorithm() {
    let mut command = example("quickstart");
    command.env("QUOTA", "1/h sliding-log");
    let server = Server::start(command);
    assert!(server.greeting.contains(" with a limit of 1/h sliding-log "), "{}", server.greeting);
    assert_eq!(get(server.address).await.header("ratelimit-policy"), Some(r#""default";q=1;w=3600"#));
    assert_eq!(get(server.address).await.status, 429);
}

fn fails(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(!status.success(), "{status}");
    assert!(stdout.is_empty(), "it served: {stdout:?}");
    let errors = String::from_utf8(stderr).unwrap();
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

#[test]
fn settings_that_make_no_sense_are_named() {
    for (quota, told) in [
        ("abc", "expected `N/PERIOD`"),
        ("", "expected `N/PERIOD`"),
        ("10/s burst", "expected `N/PERIOD`"),
        ("0/s", "limit must be at least 1"),
        ("10/s burst 0", "burst must be at least 1"),
        ("10/fortnight", "the period must end in"),
        ("4294967311/s", "use a rounder number"),
    ] {
        for name in ["quickstart", "custom_key"] {
            let mut command = example(name);
            command.env("QUOTA", quota);
            let error = fails(command);
            assert!(
                error.contains("QUOTA") && error.contains(quota) && error.contains(told),
                "{name}: {error}"
            );
        }
    }
    for address in ["nonsense", "127.0.0.1", "192.0.2.1:1"] {
        let mut command = example("quickstart");
        command.env("ADDR", address);
        let error = fails(command);
        assert!(error.starts_with(&format!("ADDR={address}: ")), "{error}");
        assert!(error.contains("such as ADDR=127.0.0.1:3001"), "{error}");
    }
}

#[tokio::test]
async fn quickstart_takes_a_host_name_and_says_what_to_do_about_a_port_in_use() {
    let mut command = example("quickstart");
    command.env("ADDR", "localhost:0");
    let server = Server::start(command);
    assert_eq!(get(server.address).await.status, 200);

    let taken = server.address.to_string();
    let mut command = example("quickstart");
    command.env("ADDR", &taken);
    let error = fails(command);
    assert!(error.starts_with(&format!("ADDR={taken}: ")) && error.contains("in use"), "{error}");
    assert!(error.contains("such as ADDR=127.0.0.1:3001"), "{error}");
}

#[test]
fn core_only_runs_and_says_what_its_source_promises() {
    let Output { status, stdout, stderr } = example("core_only").output().unwrap();
    assert!(status.success() && stderr.is_empty(), "{status} {stderr:?}");
    let lines = String::from_utf8(stdout).unwrap();
    for line in [
        "attempt 1: allowed, 4 left",
        "attempt 5: allowed, 0 left",
        "attempt 6: denied, retry in 1s",
        "one second later: allowed",
        "per user and per day: denied",
        "left today: 1000",
    ] {
        assert!(lines.lines().any(|printed| printed == line), "{line:?} in {lines}");
    }
}

/// One request of a tenant that nobody has told where it comes from: the key needs no peer.
async fn ask(app: &Router, tenant: Option<&[u8]>) -> (u16, String) {
    let mut request = Request::builder().uri("/");
    if let Some(tenant) = tenant {
        request = request.header("x-tenant", tenant);
    }
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    (response.status().as_u16(), text(response).await)
}

#[tokio::test]
async fn custom_key_limits_each_tenant_and_refuses_who_names_none() {
    let app = custom_key::app("1/h burst 2".parse().unwrap());
    for tenant in ["blue", "red", "Blue"] {
        let tenant = Some(tenant.as_bytes());
        assert_eq!(ask(&app, tenant).await, (200, "Hello, tenant!\n".to_owned()));
        assert_eq!(ask(&app, tenant).await.0, 200);
        assert_eq!(ask(&app, tenant).await.0, 429);
    }
    let long = [b'x'; 257];
    for (case, tenant, told) in [
        ("missing", None, "the request has no `x-tenant` header"),
        ("empty", Some(&b""[..]), "empty or not visible ASCII"),
        ("not ASCII", Some(b"bl\xfce"), "empty or not visible ASCII"),
        ("too long", Some(&long), "257 bytes, at most 256 are allowed"),
    ] {
        let (status, body) = ask(&app, tenant).await;
        assert_eq!(status, 400, "{case}");
        assert!(body.contains(told), "{case}: {body}");
    }
}

#[tokio::test]
async fn custom_key_serves_over_a_socket() {
    let server = Server::start(example("custom_key"));
    let reply = get(server.address).await;
    assert_eq!(reply.status, 400);
    assert!(reply.body.contains("x-tenant"), "{}", reply.body);
}
