//! A property for each typed header; one that has none fails the test.

use offhook_sip::header::*;
use offhook_sip::uri::{Host, HostPort, same};
use offhook_sip::{Method, Name, Params, Uri};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::parts::{call_id, comment, params, quoted, token, uri};
use crate::reads_back;

/// The headers whose property held.
type Held = Vec<Name>;

#[test]
fn what_is_written_reads_back_for_every_header() {
    let mut held = Held::new();
    for family in [one_part, texts, parameters, addresses, dialogs, credentials, numbers, others] {
        family(&mut held);
    }
    for (name, long, _) in Name::table() {
        assert_eq!(held.iter().filter(|other| **other == name).count(), 1, "{long}");
    }
}

#[test]
fn what_is_written_of_a_uri_reads_back_and_is_the_same() {
    let config = Config { cases: 1024, failure_persistence: None, ..Config::default() };
    let two = (uri(), uri());
    TestRunner::new(config)
        .run(&two, |(a, b)| {
            let (a, b) = (Uri::parse(a.as_bytes()), Uri::parse(b.as_bytes()));
            let (Ok(a), Ok(b)) = (a, b) else { return Err(TestCaseError::fail("is no URI")) };
            let mut written = Vec::new();
            a.write(&mut written);
            prop_assert_eq!(Uri::parse(&written), Ok(a));
            prop_assert!(same(&a, &a));
            prop_assert_eq!(same(&a, &b), same(&b, &a));
            Ok(())
        })
        .unwrap();
}

/// `property!(held, Header, strategy, |parts| value)`
macro_rules! property {
    ($held:ident, $header:ident, $strategy:expr, |$parts:pat_param| $value:expr) => {{
        let config = Config { cases: 128, failure_persistence: None, ..Config::default() };
        let told = TestRunner::new(config).run(&$strategy, |$parts| {
            reads_back(&$value, &mut Vec::new()).map_err(TestCaseError::fail)
        });
        if let Err(error) = told {
            panic!("{}: {error}", <$header as Header>::NAME.as_str());
        }
        $held.push(<$header as Header>::NAME);
    }};
}

/// The same for headers with one grammar: `family!(held, strategy, |parts| (fields); Header …)`
macro_rules! words {
    ($held:ident, $strategy:expr; $($header:ident)*) => {
        $(property!($held, $header, $strategy, |word| $header(&word));)*
    };
}

macro_rules! with_params {
    ($held:ident, $strategy:expr; $($header:ident $field:ident)*) => {
        $(property!($held, $header, ($strategy, params()), |(word, params)| $header {
            $field: word.as_ref(), params: Params::new(&params)
        });)*
    };
}

fn one_part(held: &mut Held) {
    words!(held, token();
        Supported Require ProxyRequire Unsupported Allow ContentEncoding ContentLanguage Priority AllowEvents SipETag
        SipIfMatch RequestDisposition ResourcePriority AcceptResourcePriority GeolocationRouting);
    property!(held, CallId, call_id(), |word| CallId(CallWord(word.as_bytes())));
    property!(held, InReplyTo, call_id(), |word| InReplyTo(CallWord(word.as_bytes())));
}

fn texts(held: &mut Held) {
    let line = "([!-~\u{e0}-\u{2fff}]([ -~\u{e0}-\u{2fff}]{0,20}[!-~\u{e0}-\u{2fff}])?)?";
    let line = || line.prop_map(String::into_bytes);
    words!(held, line(); Subject Organization Server UserAgent);
}

fn parameters(held: &mut Held) {
    with_params!(held, token();
        Event package SubscriptionState state ContentDisposition kind AcceptEncoding coding AcceptLanguage range
        Reason protocol SecurityClient mechanism SecurityServer mechanism SecurityVerify mechanism AcceptContact any
        RejectContact any InfoPackage package RecvInfo package AnswerMode mode ReferSub value);
    with_params!(held, uri(); AlertInfo uri CallInfo uri ErrorInfo uri Geolocation uri IdentityInfo uri);
    macro_rules! media {
        ($($header:ident)*) => {
            $(property!(held, $header, (token(), token(), params()), |(kind, subtype, params)| $header {
                media: MediaType { kind: &kind, subtype: &subtype }, params: Params::new(&params)
            });)*
        };
    }
    media!(ContentType Accept);
    property!(held, SessionExpires, (any::<u32>(), params()), |(seconds, params)| SessionExpires {
        seconds,
        params: Params::new(&params)
    });
    property!(held, MinSe, (any::<u32>(), params()), |(seconds, params)| MinSe {
        seconds,
        params: Params::new(&params)
    });
    property!(held, SessionId, ("[0-9a-fA-F]{32}", params()), |(local, params)| SessionId {
        local: Uuid(&local),
        params: Params::new(&params)
    });
    property!(held, Identity, ("[A-Za-z0-9+/=_.-]{1,40}", params()), |(token, params)| Identity {
        token: &token,
        params: Params::new(&params)
    });
}

/// A display name, a URI, parameters.
fn address() -> impl Strategy<Value = (Option<Vec<u8>>, String, Vec<u8>)> {
    let words = "[A-Za-z!~.]{1,5}( [A-Za-z]{1,5}){0,2}".prop_map(String::into_bytes);
    (prop::option::of(prop_oneof![quoted(), words]), uri(), params())
}

fn named<'a>((display, uri, params): &'a (Option<Vec<u8>>, String, Vec<u8>)) -> NameAddr<'a> {
    NameAddr { display: display.as_deref(), uri: uri.as_bytes(), params: Params::new(params) }
}

fn addresses(held: &mut Held) {
    macro_rules! all {
        ($($header:ident)*) => {
            $(property!(held, $header, address(), |address| $header(named(&address)));)*
        };
    }
    all!(From To Route RecordRoute Path ServiceRoute ReplyTo PAssertedIdentity PPreferredIdentity PAssociatedUri ReferTo
         ReferredBy Diversion HistoryInfo);
    property!(held, Contact, prop::option::weighted(0.9, address()), |address| {
        address.as_ref().map_or(Contact::All, |address| Contact::At(named(address)))
    });
}

fn dialogs(held: &mut Held) {
    let dialog = || (call_id(), token(), token(), any::<bool>());
    property!(held, Replaces, dialog(), |(call_id, to_tag, from_tag, early_only)| Replaces {
        call_id: CallWord(call_id.as_bytes()),
        to_tag: &to_tag,
        from_tag: &from_tag,
        early_only
    });
    property!(held, Join, dialog(), |(call_id, to_tag, from_tag, _)| Join {
        call_id: CallWord(call_id.as_bytes()),
        to_tag: &to_tag,
        from_tag: &from_tag
    });
    property!(held, TargetDialog, dialog(), |(call_id, local_tag, remote_tag, _)| TargetDialog {
        call_id: CallWord(call_id.as_bytes()),
        local_tag: &local_tag,
        remote_tag: &remote_tag
    });
}

/// Credentials are not built from parts: their parameters are read from what came.
fn credentials(held: &mut Held) {
    let pair = || {
        let value = prop_oneof![token().prop_map(String::into_bytes), quoted()];
        (token(), "(=| = )", value)
            .prop_map(|(name, equal, value)| [name.as_bytes(), equal.as_bytes(), &value].concat())
    };
    let pairs =
        move || prop::collection::vec(pair(), 1..5).prop_map(|pairs| pairs.join(&b", "[..]));
    macro_rules! all {
        ($strategy:expr; $($header:ident)*) => {
            $(property!(held, $header, $strategy, |text| $header::parse(&text).unwrap());)*
        };
    }
    let scheme = move || {
        (token(), pairs()).prop_map(|(scheme, pairs)| [scheme.as_bytes(), b" ", &pairs].concat())
    };
    all!(scheme(); WwwAuthenticate ProxyAuthenticate Authorization ProxyAuthorization);
    all!(pairs(); AuthenticationInfo ProxyAuthenticationInfo);
    let values = prop::collection::vec(token(), 1..4).prop_map(|values| values.join(" ; "));
    property!(held, Privacy, values, |text| Privacy::parse(text.as_bytes()).unwrap());
}

fn numbers(held: &mut Held) {
    property!(held, MaxForwards, any::<u8>(), |number| MaxForwards(number));
    macro_rules! all {
        ($($header:ident)*) => {
            $(property!(held, $header, any::<u32>(), |number| $header(number));)*
        };
    }
    all!(Expires MinExpires ContentLength MaxBreadth RSeq FlowTimer);
    property!(held, Date, any::<u64>(), |seconds| Date::at(seconds % 300_000_000_000));
    property!(held, MimeVersion, any::<(u8, u8)>(), |(major, minor)| MimeVersion { major, minor });
}

fn others(held: &mut Held) {
    property!(held, CSeq, (0_u32..1 << 31, token()), |(number, method)| CSeq {
        number,
        method: Method::of(&method)
    });
    property!(held, RAck, (any::<(u32, u32)>(), token()), |((rseq, cseq), method)| RAck {
        rseq,
        cseq,
        method: Method::of(&method)
    });
    let after = (any::<u32>(), prop::option::of(comment()), params());
    property!(held, RetryAfter, after, |(seconds, comment, params)| RetryAfter {
        seconds,
        comment: comment.as_ref().map(|comment| comment.as_bytes()),
        params: Params::new(&params)
    });
    let times = ("[0-9]{1,9}(\\.[0-9]{0,6})?", prop::option::of("([0-9]+(\\.[0-9]*)?|\\.[0-9]*)"));
    property!(held, Timestamp, times, |(sent, delay)| Timestamp {
        sent: &sent,
        delay: delay.as_deref()
    });
    let agent = "([a-z]{1,9}(\\.[a-z]{1,5})?(:[0-9]{1,5})?|\\[2001:db8::1\\]:5060)";
    property!(held, Warning, (100_u16..1000, agent, quoted()), |(code, agent, quoted)| Warning {
        code,
        agent: &agent,
        quoted: &quoted
    });
    let host = prop_oneof![
        "[a-z]{1,9}(\\.[a-z]{1,5})?",
        "192\\.0\\.2\\.[0-9]",
        "\\[2001:db8::[0-9a-f]{1,4}\\]"
    ];
    let via = (token(), host, any::<Option<u16>>(), params());
    property!(held, Via, via, |(transport, host, port, params)| Via {
        transport: ViaTransport(&transport),
        host: HostPort::parse(host.as_bytes())
            .map_or(Host::Name("never.example"), |host| host.host),
        port,
        params: Params::new(&params)
    });
}
