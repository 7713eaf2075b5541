//! Clients that are slow, gone, huge or broken, over real sockets: each whole request counts once, and nothing else does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum_ratelimit::{
    Handle, ManualClock, MemoryStore, Policy, Quota, RateLimitLayer, RequestHead, SlowStore, Stats,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::{self, serve};

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// A server of `limit` requests per client, its handle, and how many uploads were read.
async fn server(limit: u64, delay: Option<Duration>) -> (SocketAddr, Handle, Arc<AtomicUsize>) {
    let uploads = Arc::new(AtomicUsize::new(0));
    let counter = uploads.clone();
    let upload = async move |body: Bytes| {
        counter.fetch_add(1, SeqCst);
        body.len().to_string()
    };
    let layer = RateLimitLayer::new(Quota::per_hour(limit)).clock(ManualClock::new());
    let store = MemoryStore::with_capacity(100).unwrap();
    let layer = match delay {
        Some(delay) => layer.store(SlowStore::new(store, delay)),
        None => layer.store(store),
    };
    let handle = layer.handle();
    let app = Router::new().route("/", get(async || "hello").post(upload)).layer(DefaultBodyLimit::disable());
    (serve(app.layer(layer)).await, handle, uploads)
}

fn counted(stats: &Stats) -> (u64, u64, u64) {
    (stats.allowed, stats.denied, stats.rejected)
}

/// Writes `text` and reads until `enough`, or the end.
async fn talk(socket: &mut TcpStream, text: &str, enough: impl Fn(&str) -> bool) -> String {
    socket.write_all(text.as_bytes()).await.unwrap();
    let (mut answer, mut part) = (String::new(), [0; 4_096]);
    while !enough(&answer) {
        match tokio::time::timeout(Duration::from_secs(20), socket.read(&mut part)).await {
            Ok(Ok(length @ 1..)) => answer.push_str(std::str::from_utf8(&part[..length]).unwrap()),
            Ok(_) => break,
            Err(_) => panic!("no answer but {answer:?}"),
        }
    }
    answer
}

#[tokio::test]
async fn requests_on_one_connection_count_one_by_one_even_when_sent_at_once() {
    let (address, handle, _) = server(3, None).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    let answers =
        talk(&mut socket, &GET.repeat(5), |text| text.matches("violated-policies").count() == 2).await;
    let statuses: Vec<_> =
        answers.match_indices("HTTP/1.1 ").map(|(at, _)| &answers[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["200", "200", "200", "429", "429"]);
    // A refusal does not end the connection, or an attacker would be answered with a handshake each time.
    assert!(talk(&mut socket, GET, |text| text.contains("}")).await.starts_with("HTTP/1.1 429"));
    assert_eq!(counted(&handle.stats()), (3, 3, 0));
}

#[tokio::test]
async fn a_refused_upload_is_answered_before_its_body_is_sent() {
    let (address, handle, uploads) = server(1, None).await;
    let post = |length: usize| format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n");
    let mut socket = TcpStream::connect(address).await.unwrap();
    let whole = talk(&mut socket, &(post(5) + "12345"), |text| text.ends_with("\r\n\r\n5")).await;
    assert!(whole.starts_with("HTTP/1.1 200"), "{whole}");
    // A terabyte is announced and nothing follows. Whoever reads first and limits later waits for ever.
    let mut socket = TcpStream::connect(address).await.unwrap();
    let refusal = talk(&mut socket, &post(1 << 40), |text| text.contains('}')).await;
    assert!(refusal.starts_with("HTTP/1.1 429"), "{refusal}");
    assert_eq!((uploads.load(SeqCst), counted(&handle.stats())), (1, (1, 1, 0)));
}

#[tokio::test]
async fn what_is_no_whole_request_is_not_counted() {
    let (address, handle, _) = server(2, None).await;
    for broken in [
        "",
        "GET",
        "GET / HTTP/1.1\r\nhost: a\r\n",
        "\r\n\r\n\r\n",
        "\x16\x03\x01\x02",
        "GET / HTTP/9.9\r\n\r\n",
    ] {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(broken.as_bytes()).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut answer = String::new();
        let _ = socket.read_to_string(&mut answer).await;
        assert!(!answer.contains("ratelimit"), "{broken:?}: {answer}");
    }
    assert_eq!(counted(&handle.stats()), (0, 0, 0));
    assert_eq!(support::get(address).await.status, 200);
}

#[tokio::test]
async fn clients_that_hang_up_are_counted_and_leave_nothing_behind() {
    for delay in [None, Some(Duration::from_millis(30))] {
        let (address, handle, _) = server(20, delay).await;
        for _ in 0..10 {
            let mut socket = TcpStream::connect(address).await.unwrap();
            socket.write_all(GET.as_bytes()).await.unwrap();
            // Closed with the answer unread, or while the store decides.
            drop(socket);
        }
        let mut through = 0;
        while support::get(address).await.status == 200 {
            through += 1;
        }
        // A request that was never read to its end, or abandoned while the store decided, may have taken nothing; one
        // that is gone gives nothing back, and takes nothing twice.
        assert!((10..=20).contains(&through), "{through}");
        let (allowed, denied, rejected) = counted(&handle.stats());
        assert!(
            (through..=20).contains(&allowed) && denied > 0 && rejected == 0,
            "{allowed}, {denied}, {rejected}"
        );
    }
}

#[tokio::test]
async fn thousands_of_headers_are_no_way_around_a_limit() {
    let policies = [
        Policy::new("peer", Quota::per_hour(2)),
        Policy::new("path", Quota::per_hour(9)).key(|head: &RequestHead<'_>| {
            axum_ratelimit::Key::text(head.header_str("x-last").unwrap_or("none"))
        }),
    ];
    let layer = RateLimitLayer::new(policies).clock(ManualClock::new());
    let address = serve(Router::new().route("/", get(async || "hello")).layer(layer)).await;
    // As many as hyper takes.
    let many: String = (0..90).map(|index| format!("x-{index}: {}\r\n", "v".repeat(1_000))).collect();
    let request =
        format!("GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 192.0.2.7\r\n{many}x-last: z\r\n\r\n");
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let answer = talk(&mut socket, &request, |text| text.contains("\r\n\r\n")).await;
        statuses.push(answer[9..12].to_owned());
    }
    assert_eq!(statuses, ["200", "200", "429", "429"]);
}
