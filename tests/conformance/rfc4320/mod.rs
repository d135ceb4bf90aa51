//! Requests that are no INVITE, through proxies.

mod section_3;
