//! Addressing an amplification vulnerability in forking proxies.

mod section_4;
mod section_5;
