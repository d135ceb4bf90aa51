//! Headers: one file each, or one for a family with one grammar; with type, reading, writing, test.

mod address;
mod answer_mode;
mod call_id;
mod contact;
mod cseq;
mod date;
mod digest;
mod disposition;
mod diverted;
mod event;
mod family;
mod identity;
mod info;
mod info_package;
mod media_type;
mod mime_version;
mod named_dialog;
mod negotiation;
mod numbers;
mod preferences;
mod privacy;
mod rack;
mod reason;
mod refer;
mod retry_after;
mod security;
mod session_id;
mod session_timer;
mod text;
mod timestamp;
mod tokens;
mod via;
mod warning;

pub use address::{
    From, NameAddr, PAssertedIdentity, PAssociatedUri, PPreferredIdentity, Path, RecordRoute,
    ReplyTo, Route, ServiceRoute, To,
};
pub use answer_mode::AnswerMode;
pub use call_id::{CallId, CallWord, InReplyTo};
pub use contact::Contact;
pub use cseq::CSeq;
pub use date::Date;
pub use digest::{
    AuthParams, AuthenticationInfo, Authorization, ProxyAuthenticate, ProxyAuthenticationInfo,
    ProxyAuthorization, WwwAuthenticate, nonce_count, plain,
};
pub use disposition::{ContentDisposition, Handling};
pub use diverted::{Diversion, HistoryInfo};
pub use event::{Event, SubscriptionState};
pub use identity::Identity;
pub use info::{AlertInfo, CallInfo, ErrorInfo, Geolocation, IdentityInfo};
pub use info_package::{InfoPackage, RecvInfo};
pub use media_type::{Accept, ContentType, MediaType};
pub use mime_version::MimeVersion;
pub use named_dialog::{Join, Replaces, TargetDialog};
pub use negotiation::{AcceptEncoding, AcceptLanguage};
pub use numbers::{ContentLength, Expires, FlowTimer, MaxBreadth, MaxForwards, MinExpires, RSeq};
pub use preferences::{AcceptContact, RejectContact};
pub use privacy::Privacy;
pub use rack::RAck;
pub use reason::Reason;
pub use refer::{ReferSub, ReferTo, ReferredBy};
pub use retry_after::RetryAfter;
pub use security::{SecurityClient, SecurityServer, SecurityVerify};
pub use session_id::{SessionId, Uuid};
pub use session_timer::{MinSe, Refresher, SessionExpires};
pub use text::{Organization, Server, Subject, UserAgent};
pub use timestamp::Timestamp;
pub use tokens::{
    AcceptResourcePriority, Allow, AllowEvents, ContentEncoding, ContentLanguage,
    GeolocationRouting, Priority, ProxyRequire, RequestDisposition, Require, ResourcePriority,
    SipETag, SipIfMatch, Supported, Unsupported,
};
pub use via::{MAGIC, Marks, Via, ViaTransport, is_load, is_magic};
pub(crate) use via::{Source, Usual};
pub use warning::Warning;

use crate::{Message, Name, ParseError};

/// A header that can be read from one element of its value, and written.
pub trait Header<'a>: Sized {
    /// Its name.
    const NAME: Name;

    /// Reads one element: without name, colon, and the neighbours in a comma list.
    fn parse(value: &'a [u8]) -> Result<Self, ParseError>;

    /// The topmost of a message that was [checked](crate::Message::checked), where that has read it already.
    #[doc(hidden)]
    fn known(_message: &'a Message) -> Option<Self> {
        None
    }

    /// Writes the element. What is written reads back.
    fn write(&self, out: &mut Vec<u8>);

    /// The element as text; octets that are no UTF-8 are shown as such.
    fn text(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// Reads an element as the type that belongs to its name, and writes it as we write it: for those who meet headers that
/// they do not know by type. `None` for a name that is not in our table.
pub fn rewrite(name: Name, value: &[u8]) -> Option<Result<Vec<u8>, ParseError>> {
    macro_rules! by_name {
        ($($header:ident)*) => {
            match name {
                $(Name::$header => rewritten::<$header>(value),)*
                Name::Other => return None,
            }
        };
    }
    // No arm for the rest: a name without a type does not compile.
    Some(by_name! {
        Accept AcceptContact AcceptEncoding AcceptLanguage AcceptResourcePriority AlertInfo Allow AllowEvents AnswerMode
        AuthenticationInfo Authorization CSeq CallId CallInfo Contact ContentDisposition ContentEncoding ContentLanguage
        ContentLength ContentType Date Diversion ErrorInfo Event Expires FlowTimer From Geolocation GeolocationRouting
        HistoryInfo Identity IdentityInfo InReplyTo InfoPackage Join MaxBreadth MaxForwards MimeVersion MinExpires MinSe
        Organization PAssertedIdentity PAssociatedUri PPreferredIdentity Path Priority Privacy ProxyAuthenticate
        ProxyAuthenticationInfo ProxyAuthorization ProxyRequire RAck RSeq Reason RecordRoute RecvInfo ReferSub ReferTo
        ReferredBy RejectContact Replaces ReplyTo RequestDisposition Require ResourcePriority RetryAfter Route
        SecurityClient SecurityServer SecurityVerify Server ServiceRoute SessionExpires SessionId SipETag SipIfMatch Subject
        SubscriptionState Supported TargetDialog Timestamp To Unsupported UserAgent Via Warning WwwAuthenticate
    })
}

fn rewritten<'a, H: Header<'a>>(value: &'a [u8]) -> Result<Vec<u8>, ParseError> {
    let mut out = Vec::new();
    H::parse(value)?.write(&mut out);
    Ok(out)
}
