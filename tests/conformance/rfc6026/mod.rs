//! 2xx to INVITE, as proxies and user agents see them.

mod section_7_3;
