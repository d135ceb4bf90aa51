//! `[calls]`: how calls are followed that pass through.

use std::time::Duration;

use ::server::settings::Calls;

use super::fault::Faults;
use super::key::{Key, Section};
use super::table::Table;
use crate::limits;

pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Option<Calls> {
    let longest = written.number("longest", limits::FOLLOWED, faults);
    let longest = longest.map(|seconds| Duration::from_secs(seconds.value));
    let calls = Calls { longest: longest.unwrap_or(Calls::default().longest) };
    written.flag("track", faults).unwrap_or(true).then_some(calls)
}

pub(super) const SECTION: Section = Section {
    name: "calls",
    repeated: false,
    about: "How calls are followed that pass through, so that they can be listed (`offhook ctl calls`) and recorded (`[records]`). It takes some 500 octets \
            a call. Nothing of it changes what happens to a call, unless you end one (`offhook ctl hangup`).",
    keys: &[
        Key::new(
            "track",
            "true",
            "`false`: calls are not followed. The server then keeps nothing at all of a call that is up.",
        ),
        Key::new(
            "longest",
            "86400",
            "For how many seconds a call is followed when nobody is seen to hang it up, from 60 to 604800. One with a session timer ends with \
             that (RFC 4028).",
        ),
    ],
};
