//! Service-Route: by which proxies a registered phone sends its requests.

mod section_6;
