//! SIP-specific event notification, as our notifiers keep it: shown with the registrar's own package, `reg`.

mod section_4_2;
mod section_4_4;
