//! What the options of pjsip.conf are good for here.

use crate::import::asterisk::Opt;

/// What becomes of an option.
pub(super) enum Meaning {
    /// It is in the config.
    Taken,
    /// It is not, and why.
    Lost(&'static str),
    /// Nothing is lost without it, and why.
    Idle(Idle),
}

/// Why nothing is lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle(pub(super) &'static str);

/// Yes, as Asterisk writes it.
pub(super) fn is_yes(option: Option<&Opt>) -> bool {
    option.is_some_and(|option| {
        ["yes", "true", "y", "t", "1", "on"].contains(&&*option.value.to_ascii_lowercase())
    })
}

/// What becomes of an option of a section of this kind.
pub(super) fn meaning(kind: &str, option: &Opt) -> Meaning {
    let known = TABLE.iter().find(|(of, keys, _)| *of == kind && keys.contains(&&*option.key));
    match known.map(|(_, _, what)| what) {
        Some(What::Taken) => Meaning::Taken,
        Some(What::Idle(why)) => Meaning::Idle(Idle(why)),
        Some(What::Lost(why)) => Meaning::Lost(why),
        Some(What::LostIfYes(why)) if is_yes(Some(option)) => Meaning::Lost(why),
        Some(What::LostIfYes(_)) => Meaning::Idle(Idle("it is off")),
        Some(What::LostUnless(usual, _)) if option.value.eq_ignore_ascii_case(usual) => {
            Meaning::Taken
        }
        Some(What::LostUnless(_, why)) => Meaning::Lost(why),
        None => Meaning::Lost("there is nothing like it here"),
    }
}

enum What {
    Taken,
    Idle(&'static str),
    Lost(&'static str),
    LostIfYes(&'static str),
    LostUnless(&'static str, &'static str),
}

const MEDIA: &str = "sound and pictures go from phone to phone, and codecs are theirs to agree on";
const NAT: &str = "phones behind a NAT are reached by the way they came, always";
const PLAN: &str = "there is no dial plan here: whom a call is for is its number, and routes say the rest (docs/routing.md)";
const SECRET_SOUND: &str =
    "whether sound is secret is between the phones; here only signalling is (TLS)";

/// Kind of section, options, and what becomes of them.
const TABLE: &[(&str, &[&str], What)] = &[
    ("endpoint", &["type", "auth", "aors", "callerid", "outbound_auth"], What::Taken),
    (
        "endpoint",
        &[
            "allow",
            "disallow",
            "direct_media",
            "direct_media_method",
            "direct_media_glare_mitigation",
            "disable_direct_media_on_nat",
            "dtmf_mode",
            "ice_support",
            "rtp_symmetric",
            "rtp_ipv6",
            "rtp_timeout",
            "rtp_timeout_hold",
            "rtp_keepalive",
            "media_address",
            "bind_rtp_to_media_address",
            "use_avpf",
            "rtcp_mux",
            "bundle",
            "max_audio_streams",
            "max_video_streams",
            "webrtc",
            "t38_udptl",
            "t38_udptl_ec",
            "t38_udptl_nat",
            "t38_udptl_maxdatagram",
            "fax_detect",
            "tone_zone",
            "language",
            "moh_suggest",
            "inband_progress",
            "codec_prefs_incoming_offer",
            "codec_prefs_outgoing_offer",
            "codec_prefs_incoming_answer",
            "codec_prefs_outgoing_answer",
            "preferred_codec_only",
            "asymmetric_rtp_codec",
            "tos_audio",
            "tos_video",
            "cos_audio",
            "cos_video",
            "sdp_owner",
            "sdp_session",
            "srtp_tag_32",
            "g726_non_standard",
            "100rel",
            "timers",
            "timers_min_se",
            "timers_sess_expires",
        ],
        What::Idle(MEDIA),
    ),
    (
        "endpoint",
        &[
            "media_encryption",
            "media_encryption_optimistic",
            "media_use_received_transport",
            "dtls_verify",
            "dtls_rekey",
            "dtls_cert_file",
            "dtls_private_key",
            "dtls_cipher",
            "dtls_ca_file",
            "dtls_ca_path",
            "dtls_setup",
            "dtls_fingerprint",
            "dtls_auto_generate_cert",
        ],
        What::Idle(SECRET_SOUND),
    ),
    ("endpoint", &["force_rport", "rewrite_contact"], What::Idle(NAT)),
    ("endpoint", &["transport"], What::Idle("phones choose the transport by which they come")),
    (
        "endpoint",
        &["trust_id_inbound", "send_pai", "send_rpid", "trust_id_outbound", "send_diversion"],
        What::LostIfYes("see [proxy] trusted: who calls is told to those whom it names"),
    ),
    (
        "endpoint",
        &["context", "subscribe_context", "message_context", "accountcode", "set_var"],
        What::Lost(PLAN),
    ),
    (
        "endpoint",
        &["identify_by"],
        What::LostUnless(
            "username",
            "phones are known by their password, carriers by `network` of a [[route]]",
        ),
    ),
    (
        "endpoint",
        &["from_domain"],
        What::Lost("a From is not changed here; name the domain in `domains`"),
    ),
    ("endpoint", &["from_user"], What::Lost("a From is not changed here")),
    (
        "endpoint",
        &[
            "mailboxes",
            "voicemail_extension",
            "aggregate_mwi",
            "mwi_from_user",
            "incoming_mwi_mailbox",
        ],
        What::Lost("there are no mailboxes here; a route may lead to a server that has some"),
    ),
    (
        "endpoint",
        &["call_group", "pickup_group", "named_call_group", "named_pickup_group"],
        What::Lost("calls cannot be picked up here"),
    ),
    (
        "endpoint",
        &["device_state_busy_at"],
        What::Lost("how many calls a phone takes is for the phone to say"),
    ),
    (
        "endpoint",
        &["allow_subscribe"],
        What::Lost("phones may watch registrations (reg), not each other"),
    ),
    ("endpoint", &["outbound_proxy"], What::Lost("write it as `to` of a [[route]]")),
    (
        "endpoint",
        &["acl", "deny", "permit", "contact_acl", "contact_deny", "contact_permit"],
        What::Lost(
            "phones may come from anywhere, and prove who they are; a firewall filters addresses",
        ),
    ),
    (
        "auth",
        &["type", "username", "password", "realm", "md5_cred", "password_digest"],
        What::Taken,
    ),
    ("auth", &["auth_type"], What::Taken),
    (
        "auth",
        &["nonce_lifetime"],
        What::Idle("a nonce lives for five minutes here, and is renewed by itself"),
    ),
    (
        "aor",
        &[
            "type",
            "contact",
            "max_contacts",
            "remove_existing",
            "default_expiration",
            "minimum_expiration",
            "maximum_expiration",
        ],
        What::Taken,
    ),
    (
        "aor",
        &["qualify_frequency", "qualify_timeout", "authenticate_qualify", "qualify_2xx_only"],
        What::Idle(
            "a phone that cannot be reached is noticed by its connection, or by the call; carriers are probed in [[group]]",
        ),
    ),
    ("aor", &["support_path"], What::Idle("Path is always understood (RFC 3327)")),
    ("aor", &["remove_unavailable"], What::Idle("a binding whose connection is gone is gone")),
    (
        "aor",
        &["mailboxes", "voicemail_extension"],
        What::Lost("there are no mailboxes here; a route may lead to a server that has some"),
    ),
    ("aor", &["outbound_proxy"], What::Lost("write it as `to` of a [[route]]")),
    ("global", &["type", "default_realm"], What::Taken),
    ("global", &["user_agent"], What::Idle("see [server] software")),
    (
        "global",
        &[
            "max_forwards",
            "keep_alive_interval",
            "contact_expiration_check_interval",
            "disable_multi_domain",
            "endpoint_identifier_order",
            "debug",
            "unidentified_request_count",
            "unidentified_request_period",
            "unidentified_request_prune_interval",
            "max_initial_qualify_time",
            "default_from_user",
            "ignore_uri_user_options",
            "send_contact_status_on_update_registration",
            "use_callerid_contact",
            "norefersub",
            "taskprocessor_overload_trigger",
        ],
        What::Idle("that is as it should be without being said"),
    ),
    (
        "transport",
        &[
            "type",
            "protocol",
            "bind",
            "cert_file",
            "priv_key_file",
            "external_signaling_address",
            "external_signaling_port",
        ],
        What::Taken,
    ),
    (
        "transport",
        &[
            "local_net",
            "external_media_address",
            "tos",
            "cos",
            "async_operations",
            "allow_reload",
            "symmetric_transport",
            "domain",
            "websocket_write_timeout",
            "method",
            "cipher",
            "require_client_cert",
            "allow_wildcard_certs",
            "tcp_keepalive_enable",
            "tcp_keepalive_idle_time",
            "tcp_keepalive_interval_time",
            "tcp_keepalive_probe_count",
        ],
        What::Idle("there is no need to say it"),
    ),
    (
        "transport",
        &["ca_list_file", "ca_list_path", "verify_server", "verify_client", "password"],
        What::Lost("see [tls] authorities and client_certificates (docs/tls.md)"),
    ),
    ("identify", &["type", "endpoint", "match"], What::Taken),
    ("domain_alias", &["type", "domain"], What::Taken),
];
