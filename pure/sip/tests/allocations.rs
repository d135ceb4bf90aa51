//! Reading a message takes the memory for its index, and no more: a proxy reads millions.
//!
//! This file is a program of its own, for it counts what its allocator gives out.

#![allow(unsafe_code, reason = "an allocator that counts; it passes everything on to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use offhook_sip::header::{CSeq, CallId, Contact, From, MaxForwards, Route, To, Via};
use offhook_sip::{Bytes, Message, Name, check};

struct Counting;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
