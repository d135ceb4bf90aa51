//! Where a request was sent to, and by whom: History-Info.

mod section_9;
