//! How many of everything one shard keeps, and why.

use std::time::Duration;

/// Work of one visit of somebody who lists registrations, in places of the table: 0.35 ms with a binding each, 0.7 at most (measured
/// with a million). Calls wait for no more than that.
pub const A_VISIT: usize = 4_096;

/// What taking one binding out costs, in places of the table that are passed over.
pub const A_BINDING: usize = 8;

/// Reasons of refusals that are counted by themselves: the program has some eighty. What is more is counted together.
pub const REASONS: usize = 128;

/// Sources whose pace is watched, on one shard: some 40 octets each. Past this newcomers share the pace of one.
pub const SOURCES: usize = 65_536;

/// Requests that wait for their turn on one shard while there is too much to do: some two kilobytes each. Past this the oldest is refused.
pub const ROOM: usize = 4096;

/// Requests that were not heard and whose repeats are known, on one shard: some 60 octets each. Past this the oldest is forgotten.
pub const UNHEARD: usize = 32_768;

/// Neighbours that are told how much less they are to send, on one shard. Past this the one that has asked first is told nothing more.
pub const TOLD: usize = 1024;

/// Next hops that have said how much less we are to send them, on one shard. Past this one is not heard.
pub const NEIGHBOURS: usize = 1024;

/// Addresses of record with bindings on one shard. Each costs some 300 octets; past this we answer 503.
pub const AORS: usize = 2_000_000;

/// Addresses of record that are looked at in one turn when users may have gone, or the store of the cluster is still to be told of a loss: a
/// tenth of a millisecond.
pub const SWEPT: usize = 1_024;

/// Generations of routes and groups that are remembered for requests that are on their way by them. One may ring for minutes; who
/// reloads more often than this meanwhile has it go on by the newest.
pub const EARLIER: usize = 32;

/// REGISTERs that wait for the disk. It takes tens of thousands a second; past this we answer 503.
pub const UNKEPT: usize = 65_536;

/// Addresses that are written again at once because something was taken away from them and the store has refused that: enough to see whether it works.
pub const OWED_AT_ONCE: usize = 64;

/// After how many seconds a phone may come back whose registration could not be kept: a full disk is not emptied sooner.
pub const UNKEPT_RETRY: u32 = 30;

/// After how many seconds a phone may come back whose registration the store of the cluster did not take: a master that fails is
/// replaced within that time.
pub const UNSHARED_RETRY: u32 = 10;

/// Losses of bindings that one shard still has to tell the store of the cluster, because that could not be reached: some hundred octets each. Past this
/// one is not told, and what is gone may come back.
pub const UNTOLD: usize = 65_536;

/// How often a REGISTER is worked out because another node was faster. The phones of one user do not register ten times in a millisecond.
pub const OFFERS: u8 = 10;

/// Subscriptions of one shard; each costs a few kilobytes. Past this we answer 503.
pub const SUBSCRIPTIONS: usize = 100_000;

/// Subscriptions to the registrations of one user: each of its phones has one.
pub const WATCHERS: usize = 20;

/// Phones of one shard that are being woken. Past this a phone that sleeps cannot be called.
pub const SLEEPERS: usize = 50_000;

/// Requests that wait for one phone to wake up.
pub const SLEEPLESS: usize = 32;

/// Targets of one request: more branches than this ring nobody's phone usefully.
pub const TARGETS: usize = 32;

/// Octets by which a challenge may be longer than half again its request: what we note in the Via, which the sender did not write, a tag
/// and a short realm. More would make us worth while for whoever wants to flood others.
pub const ANSWER_SPARE: usize = 144;

/// Requests that wait to hear from another shard whether their nonce is new. That takes as long as a letter takes; past this something
/// is very slow, and we answer 503.
pub const VISITORS: usize = 10_000;

/// Requests that wait for answers or lookups at once. Past this we answer 503.
pub const CONTEXTS: usize = 200_000;

/// Route and Path values of one request that we look at; real ones have one to five.
pub const ROUTES: usize = 32;

/// Via values that we look through for loops: `Max-Forwards` lets no honest request have more.
pub const VIAS: usize = 255;

/// Recent requests to ourselves that are remembered to recognise merged ones, 16 octets each. Older ones go first.
pub const MERGED: usize = 32_768;

/// Peers that are remembered to refuse TCP; the oldest go first and are tried again.
pub const NO_TCP: usize = 10_000;

/// Octets of a Contact URI, of a Call-ID and of a Path value that a binding keeps.
pub const BINDING_PART: usize = 2_048;

/// The Max-Breadth that a request begins with, and the most that we believe (RFC 5393 §5.3.3).
pub const BREADTH: u32 = 60;

/// Accept-Contact and Reject-Contact values of one request; each is compared with each phone of a user (RFC 3841 §11).
pub const PREFERENCES: usize = 32;

/// Phones that may begin to ring while others do, because they registered just then. They get this much of the breadth of a call, one each.
pub const LATECOMERS: u32 = 4;

/// What `Max-Forwards` begins with (RFC 3261 §8.1.1.6, §16.6 step 3).
pub const HOPS: u8 = 70;

/// How many T1 an INVITE waits for a sign of life while there is another address to try: 3.5 s, in which three copies went out.
/// Timer B would be 32 s, and the caller has hung up by then.
pub const HURRY: u32 = 7;

/// Octets of a regular expression of the settings: the longest that anybody has shown us for numbers has some eighty.
pub const PATTERN: usize = 256;

/// Octets that a regular expression may take when it is compiled: `[0-9]{1,15}` takes one or two kilobytes.
pub const PATTERN_SIZE: usize = 64 << 10;

/// Parentheses within parentheses of a regular expression.
pub const PATTERN_NESTS: u32 = 20;

/// Calls that are counted for the limits of groups, on one shard: some hundred octets each. Past this the one that ends first is
/// forgotten, and its member has one call too many.
pub const SEATS: usize = 200_000;

/// Calls that are followed on one shard, some 500 octets each. Past this the one that would be given up first is, and its record says so.
pub const CALLS: usize = 500_000;

/// Octets of a text that is kept of a call: Call-IDs and URIs have some forty. What is longer is cut.
pub const CALL_TEXT: usize = 512;

/// Octets of Contacts, tags and routes that are kept of a call, so that it can be hung up: most have some hundred. Of one with more nothing is.
pub const LINE: usize = 2_048;

/// How long it is remembered what came of a call that an operator has ended: longer than a console needs to ask again.
pub const ENDING: Duration = Duration::from_secs(60);

/// Addresses of one member of a group that are probed: what one name leads to.
pub const PROBED: usize = 8;

/// Records of one number in the DNS that are looked at: a number has one to five.
pub const ENUM_RECORDS: usize = 32;

/// Octets of a URI that the DNS says for a number.
pub const ENUM_URI: usize = 512;

/// Sources that have done something, and are remembered on each shard: some 200 octets each. Past this whoever would be forgotten first is.
pub const SUSPECTS: usize = 100_000;

/// Sources whose answers come with a nonce that is not known to have been given to them. Past this answers of others are not judged: they
/// are asked again.
pub const UNPROVEN: usize = 20_000;

/// Users, known or not, for whom wrong passwords are counted on each shard. The one with the least gives way.
pub const BESIEGED: usize = 50_000;

/// Users of one shard that are remembered with a source from which they have registered: some 33 octets each.
pub const GUESTS: usize = 2_000_000;

/// Guests of one source that other shards are told of: more phones than this behind one address are a company, whose network belongs into
/// the list of those that are never barred.
pub const GUESTS_TOLD: usize = 256;

/// Accounts that have tried what is forbidden, on each shard. The one that has tried least gives way.
pub const SUSPICIOUS_ACCOUNTS: usize = 10_000;

/// Octets of a user's name by which it is counted; of longer ones the beginning.
pub const COUNTED_NAME: usize = 128;

/// Characters of a sample of what a banned source sent.
pub const SAMPLE: usize = 160;

/// Bans of one page of their list.
pub const BANS_A_PAGE: usize = 1_000;

/// So far the clocks of two nodes may be apart: what was to end longer ago is no word of today, whoever has put it back.
pub const CLOCKS: Duration = Duration::from_secs(86_400);
