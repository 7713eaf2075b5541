//! `RateLimit`, `RateLimit-Policy` and `Retry-After`, to the letter.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use sfv::{FieldType, List, Parser};
use tower::{Layer, service_fn};
use tower_ratelimit::{Fields, ManualClock, Policy, Quota, RateLimitLayer, global, header};

use super::support::{costing, field, hello, limited, metered, send, with};

/// Both fields, after seeing that each is a canonical List of RFC 9651.
fn both(headers: &HeaderMap) -> Option<(String, String)> {
    let field = |name| {
        let text = field(headers, name)?;
        let list: List = Parser::new(&text).parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(list.serialize().as_deref(), Some(text.as_str()), "not canonical");
        Some(text)
    };
    match (field("ratelimit-policy"), field("ratelimit")) {
        (Some(policy), Some(limit)) => Some((policy, limit)),
        (None, None) => None,
        lonely => panic!("one field without the other: {lonely:?}"),
    }
}

const BUCKET: Quota = Quota::every(Duration::from_secs(2)).burst(5);

/// Spends `first` of a new bucket, waits, and asks for `second`: the status, the fields and `Retry-After`.
async fn after(
    quota: Quota,
    first: u64,
    wait: Duration,
    second: u64,
) -> (u16, (String, String), Option<String>) {
    let (layer, clock) = metered([("api", quota)]);
    let mut service = limited(&layer);
    send(&mut service, costing([("api", first)])).await;
    clock.advance(wait);
    let answer = send(&mut service, costing([("api", second)])).await;
    let retry_after = field(answer.headers(), "retry-after");
    (answer.status().as_u16(), both(answer.headers()).unwrap(), retry_after)
}

#[tokio::test]
async fn a_bucket_is_told_by_its_effective_window() {
    let ms = Duration::from_millis;
    for (state, first, wait, second, status, limit, retry_after) in [
        ("full", 0, ms(0), 0, 200, r#""api";r=5;t=10"#, None),
        ("2.4 units left", 5, ms(6_800), 1, 200, r#""api";r=2;t=4"#, None),
        ("next unit in 1.3 s", 5, ms(700), 1, 429, r#""api";r=0;t=2"#, Some("2")),
        ("cost 3 of 1.75 units", 5, ms(3_500), 3, 429, r#""api";r=1;t=3"#, Some("3")),
        ("cost 6 of at most 5", 0, ms(0), 6, 429, r#""api";r=5;t=10"#, None),
        ("the last unit was taken", 4, ms(0), 1, 200, r#""api";r=0;t=2"#, None),
        ("never, and empty", 5, ms(0), 6, 429, r#""api";r=0;t=2"#, None),
    ] {
        let (got, (policy, limits), wait) = after(BUCKET, first, wait, second).await;
        assert_eq!((got, limits.as_str(), wait.as_deref()), (status, limit, retry_after), "{state}");
        assert_eq!(policy, r#""api";q=5;w=10"#, "{state}");
    }
}

#[tokio::test]
async fn windows_are_rounded_up_and_numbers_stay_within_fifteen_digits() {
    let quota = |limit, period| Quota::new(limit, period).unwrap();
    let minute = Duration::from_secs(60);
    let huge = 1_000_000_000_000_000;
    for (quota, policy, limit) in [
        (quota(10, Duration::from_millis(500)), r#""api";q=10;w=1"#, r#""api";r=10;t=1"#),
        (quota(3, Duration::from_millis(1_500)), r#""api";q=3;w=2"#, r#""api";r=3;t=2"#),
        (quota(1, Duration::from_nanos(1)), r#""api";q=1;w=1"#, r#""api";r=1;t=1"#),
        (quota(100, minute), r#""api";q=100;w=60"#, r#""api";r=100;t=60"#),
        (quota(100, minute).burst(1), r#""api";q=1;w=1"#, r#""api";r=1;t=1"#),
        (quota(huge, minute), r#""api";q=999999999999999;w=60"#, r#""api";r=999999999999999;t=60"#),
        (
            quota(huge, minute).burst(u64::MAX),
            r#""api";q=999999999999999;w=1106805"#,
            r#""api";r=999999999999999;t=1106805"#,
        ),
    ] {
        let (_, fields, _) = after(quota, 0, Duration::ZERO, 0).await;
        assert_eq!(fields, (policy.to_owned(), limit.to_owned()), "{quota}");
    }
    // A quota that has no exact spacing never gets so far.
    let error = Quota::new(u64::MAX, minute).unwrap_err().to_string();
    assert!(error.contains("18446744073709551615"), "{error}");
}

#[tokio::test]
async fn several_policies_are_one_list() {
    let (layer, clock) = metered([("burst", Quota::per_second(10)), ("daily", Quota::per_day(1_000))]);
    let mut service = limited(&layer);
    let answer = send(&mut service, costing([("burst", 7), ("daily", 260)])).await;
    let policies = r#""burst";q=10;w=1, "daily";q=1000;w=86400"#.to_owned();
    // 740 units come back at 86.4 s each.
    let limits = r#""burst";r=3;t=1, "daily";r=740;t=63936"#.to_owned();
    assert_eq!(both(answer.headers()), Some((policies.clone(), limits)));

    // The next unit of `daily` is a third earned, and 42 are asked for: 41⅔ units at 86.4 s are one hour.
    send(&mut service, costing([("burst", 0), ("daily", 740)])).await;
    clock.advance(Duration::from_millis(28_800));
    send(&mut service, costing([("burst", 1), ("daily", 0)])).await;
    let answer = send(&mut service, costing([("burst", 1), ("daily", 42)])).await;
    assert_eq!(answer.status(), 429);
    let limits = r#""burst";r=9;t=1, "daily";r=0;t=3600"#.to_owned();
    assert_eq!(both(answer.headers()), Some((policies, limits)));
    assert_eq!(field(answer.headers(), "retry-after").as_deref(), Some("3600"));
}

#[tokio::test]
async fn sixteen_policies_with_the_longest_names_fit() {
    let names: Vec<_> = (0..16).map(|index| format!("{index:02}-{}", "n".repeat(125))).collect();
    let policies: Vec<_> =
        names.iter().map(|name| Policy::new(name, Quota::per_day(100_000)).key(global())).collect();
    let layer = RateLimitLayer::new(policies).clock(ManualClock::new());
    let answer = send(&mut limited(&layer), Request::new(())).await;
    let (policies, limits) = both(answer.headers()).unwrap();
    // What many a proxy has room for, with all the other fields.
    assert!(policies.len() + limits.len() < 5_500, "{} and {}", policies.len(), limits.len());
    for name in names {
        assert!(policies.contains(&format!(r#""{name}";q=100000;w=86400"#)), "{policies}");
        assert!(limits.contains(&format!(r#""{name}";r=99999;t=86400"#)), "{limits}");
    }
}

#[tokio::test]
async fn names_are_escaped_in_both_fields() {
    for (name, written) in [
        (r#"a"b\c"#, r#""a\"b\\c""#),
        (r#"""#, r#""\"""#),
        (r"\\", r#""\\\\""#),
        (" ", r#"" ""#),
        ("a;q=9, b", r#""a;q=9, b""#),
        ("~!@#$%^&*()_+{}|:<>?", r#""~!@#$%^&*()_+{}|:<>?""#),
    ] {
        let policy = Policy::new(name, Quota::per_second(5)).key(global());
        let layer = RateLimitLayer::new(policy).clock(ManualClock::new());
        let answer = send(&mut limited(&layer), Request::new(())).await;
        let expected = (format!("{written};q=5;w=1"), format!("{written};r=4;t=1"));
        assert_eq!(both(answer.headers()), Some(expected));
    }
}

#[test]
fn names_that_no_field_can_carry_are_refused() {
    for name in ["", "ü", "a\tb", "a\nb", "a\rb", "a\0b", "a\u{7f}b", "名前"] {
        let error = Policy::try_new(name, Quota::per_second(1)).unwrap_err();
        assert_eq!(error.code(), "config-policy-name");
        // As an escape: a message is a log line sooner or later.
        assert!(error.to_string().contains(&format!("{name:?}")), "{error}");
        assert!(!error.to_string().contains('\n'), "{error:?}");
    }
}

#[test]
fn names_that_are_too_long_to_send_with_every_response_are_refused() {
    assert!(Policy::try_new("n".repeat(128), Quota::per_second(1)).is_ok());
    for name in ["n".repeat(129), "n".repeat(1 << 20), "ü".repeat(65)] {
        let error = Policy::try_new(&name, Quota::per_second(1)).unwrap_err();
        assert_eq!(error.code(), "config-policy-name");
        let text = error.to_string();
        for told in ["policy name", &format!("{} bytes", name.len()), "at most 128", "shorten it"] {
            assert!(text.contains(told), "{told:?} in {text}");
        }
        assert!(text.len() < 400, "an error is no place for a megabyte");
    }
}

/// The fields behind a service that answers so, and the answer.
async fn behind(status: u16, headers: &[(&'static str, &'static str)]) -> HeaderMap {
    let headers: HeaderMap = headers
        .iter()
        .map(|&(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
        .collect();
    let inner = service_fn(move |_: Request<()>| {
        let mut page = Response::new(Full::<Bytes>::default());
        *page.status_mut() = status.try_into().unwrap();
        page.headers_mut().extend(headers.clone());
        std::future::ready(Ok::<_, Infallible>(page))
    });
    let (layer, _) = metered([("default", Quota::per_minute(100))]);
    let answer = send(&mut layer.layer(inner), costing([("default", 50)])).await;
    assert_eq!(answer.status(), status);
    answer.headers().clone()
}

#[tokio::test]
async fn every_status_has_the_fields_but_redirects() {
    for status in [200, 201, 204, 304, 400, 401, 404, 500, 503] {
        assert!(both(&behind(status, &[]).await).is_some(), "{status}");
    }
    for status in [300, 301, 302, 303, 307, 308] {
        let headers = behind(status, &[("location", "/there")]).await;
        assert_eq!(both(&headers), None, "{status}");
        assert_eq!(headers["location"], "/there");
    }
}

#[tokio::test]
async fn what_a_shared_cache_may_keep_has_no_fields() {
    for control in
        ["public", "max-age=60, public", "PUBLIC", "s-maxage=10", "max-age=1 , S-MaxAge = 10", "public=\"x\""]
    {
        assert_eq!(both(&behind(200, &[("cache-control", control)]).await), None, "{control}");
    }
    let two_lines = behind(200, &[("cache-control", "max-age=60"), ("cache-control", "public")]).await;
    assert_eq!(both(&two_lines), None);
    for control in ["private", "no-store", "no-cache", "private, max-age=60", "x-public", "publicity=1"] {
        assert!(both(&behind(200, &[("cache-control", control)]).await).is_some(), "{control}");
    }
}

#[tokio::test]
async fn fields_of_the_inner_service_stay_and_come_first() {
    let own = [("ratelimit", r#""app";r=1;t=5"#), ("ratelimit-policy", r#""app";q=2;w=10"#)];
    let (policies, limits) = both(&behind(200, &own).await).unwrap();
    assert_eq!(limits, r#""app";r=1;t=5, "default";r=50;t=30"#);
    assert_eq!(policies, r#""app";q=2;w=10, "default";q=100;w=60"#);

    // A redirect and a public page keep what their author said, too.
    let mut public = own.to_vec();
    public.push(("cache-control", "public"));
    assert_eq!(both(&behind(200, &public).await).unwrap().1, r#""app";r=1;t=5"#);
    assert_eq!(both(&behind(302, &own).await).unwrap().1, r#""app";r=1;t=5"#);
}

#[tokio::test]
async fn two_layers_list_the_policies_of_both() {
    let (inner, _) = metered([("route", Quota::per_second(5))]);
    let (outer, _) = metered([("service", Quota::per_second(9))]);
    let mut service = outer.layer(inner.layer(hello()));
    let answer = send(&mut service, Request::new(())).await;
    let (policies, limits) = both(answer.headers()).unwrap();
    assert_eq!(policies, r#""route";q=5;w=1, "service";q=9;w=1"#);
    assert_eq!(limits, r#""route";r=4;t=1, "service";r=8;t=1"#);
}

#[tokio::test]
async fn a_name_comes_once_in_a_response() {
    // Two layers that were both left at the default name; the inner one is the service's own.
    let (inner, _) = metered([("default", Quota::per_second(5))]);
    let (outer, _) = metered([("service", Quota::per_second(9)), ("default", Quota::per_second(2))]);
    let answer = send(&mut outer.layer(inner.layer(hello())), Request::new(())).await;
    let (policies, limits) = both(answer.headers()).unwrap();
    assert_eq!(policies, r#""default";q=5;w=1, "service";q=9;w=1"#);
    assert_eq!(limits, r#""default";r=4;t=1, "service";r=8;t=1"#);

    let own = r#""x, \"default\";q=1", "default"  ;r=1;x=", \\" , "de\\fault";r=2"#;
    let headers = behind(200, &[("ratelimit", own)]).await;
    assert_eq!(field(&headers, "ratelimit").unwrap(), own);
    for own in [
        r#""x, default";r=1"#,
        r#""defaul";r=1"#,
        r#""x\", default";r=1"#,
        r#"default;r=1"#,
        r#""Default";r=1"#,
    ] {
        let headers = behind(200, &[("ratelimit", own)]).await;
        assert_eq!(field(&headers, "ratelimit").unwrap(), format!(r#"{own}, "default";r=50;t=30"#));
    }
}

#[tokio::test]
async fn no_policy_that_applied_means_no_field() {
    let (layer, _) = metered([("api", BUCKET)]);
    layer.handle().disable();
    assert_eq!(both(send(&mut limited(&layer), Request::new(())).await.headers()), None);
    layer.handle().enable();
    assert!(both(send(&mut limited(&layer), Request::new(())).await.headers()).is_some());

    // No key, no decision, nothing to tell.
    let layer = RateLimitLayer::new([
        Policy::new("all", BUCKET).key(global()),
        Policy::new("own", BUCKET).key(header("x-user")),
    ]);
    let answer = send(&mut limited(&layer), Request::new(())).await;
    assert_eq!((answer.status().as_u16(), both(answer.headers())), (400, None));
    let answer = send(&mut limited(&layer), with("x-user", "ann")).await;
    assert!(both(answer.headers()).unwrap().1.starts_with(r#""all";r=4;"#), "a refused key was charged");
}

#[tokio::test]
async fn fields_can_be_left_out() {
    let (layer, _) = metered([("api", Quota::every(Duration::from_secs(9)))]);
    let mut service = limited(&layer.fields(Fields::None));
    assert_eq!(both(send(&mut service, Request::new(())).await.headers()), None);
    let refusal = send(&mut service, Request::new(())).await;
    assert_eq!((refusal.status().as_u16(), both(refusal.headers())), (429, None));
    assert_eq!(field(refusal.headers(), "retry-after").as_deref(), Some("9"));
}

#[tokio::test]
async fn trailers_pass_and_get_no_fields() {
    let inner = service_fn(|_: Request<()>| async {
        let trailers = HeaderMap::from_iter([("x-sum".parse().unwrap(), HeaderValue::from_static("1"))]);
        let body =
            Full::new(Bytes::from("hello")).with_trailers(async { Some(Ok::<_, Infallible>(trailers)) });
        Ok::<_, Infallible>(Response::new(body))
    });
    let (layer, _) = metered([("api", BUCKET)]);
    let body = send(&mut layer.layer(inner), Request::new(())).await.into_body().collect().await.unwrap();
    let trailers = body.trailers().unwrap();
    assert_eq!((trailers.len(), &trailers["x-sum"]), (1, &HeaderValue::from_static("1")));
    assert_eq!(body.to_bytes(), "hello");
}
