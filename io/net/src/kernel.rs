//! The kernel's calls that neither std nor socket2 has: epoll, batches of datagrams, the error queue. The only `unsafe` of the house.
//!
//! Every function here is safe to call with anything: what the kernel is given points into buffers that live as long as the call,
//! and what it gives back is checked before it is believed.
#![allow(unsafe_code, reason = "calls into the kernel; nothing leaves this file but safe faces")]

use std::io;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::null_mut;
use std::time::Duration;

use bytes::Bytes;
use libc::{c_int, c_void, socklen_t};

use crate::control::Control;
use crate::limits;
use crate::trains::{self, Ways};

/// The octets of the largest datagram.
const DATAGRAM: usize = 65_535;

/// From the beginning of one datagram's room to that of the next: 33 lines of a cache more than 64 KiB. At 64 KiB exactly all datagrams of
/// a batch would lie in the same few lines of every cache, and push each other out.
const STRIDE: usize = (64 << 10) + 33 * 64;

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// What a socket is watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Something can be read.
    Reading,
    /// Something can be read, or written.
    Both,
    /// Something can be written. What comes in waits.
    Writing,
}

impl Watch {
    const fn bits(self) -> u32 {
        let bits = match self {
            Self::Reading => libc::EPOLLIN,
            Self::Both => libc::EPOLLIN | libc::EPOLLOUT,
            Self::Writing => libc::EPOLLOUT,
        };
        bits as u32
    }
}

/// One socket that is ready.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    /// The number that it was watched under.
    pub token: u64,
    bits: c_int,
}

impl Ready {
    /// Something can be read, or the peer has ended.
    pub(crate) const fn read(self) -> bool {
        self.bits & (libc::EPOLLIN | libc::EPOLLHUP | libc::EPOLLRDHUP | libc::EPOLLERR) != 0
    }

    /// Something can be written, or that has failed.
    pub(crate) const fn write(self) -> bool {
        self.bits & (libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR) != 0
    }

    /// An error waits.
    pub(crate) const fn error(self) -> bool {
        self.bits & libc::EPOLLERR != 0
    }
}

/// The sockets that one thread waits for.
#[derive(Debug)]
pub(crate) struct Epoll {
    fd: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Epoll {
    /// Waits for nothing yet; tells of up to `events` sockets at once.
    pub(crate) fn new(events: usize) -> io::Result<Self> {
        // SAFETY: a call without pointers; what it returns is an open descriptor that nobody else owns.
        let fd =
            unsafe { OwnedFd::from_raw_fd(checked(libc::epoll_create1(libc::EPOLL_CLOEXEC))?) };
        Ok(Self { fd, events: vec![libc::epoll_event { events: 0, u64: 0 }; events.max(1)] })
    }

    /// Begins to watch a socket. It is forgotten when it is closed.
    pub(crate) fn add(&self, fd: &impl AsRawFd, token: u64, watch: Watch) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, fd, token, watch)
    }

    /// Watches a socket for something else.
    pub(crate) fn change(&self, fd: &impl AsRawFd, token: u64, watch: Watch) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_MOD, fd, token, watch)
    }

    /// Stops watching a socket that stays open.
    pub(crate) fn remove(&self, fd: &impl AsRawFd) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_DEL, fd, 0, Watch::Reading)
    }

    fn control(&self, what: c_int, fd: &impl AsRawFd, token: u64, watch: Watch) -> io::Result<()> {
        let mut event = libc::epoll_event { events: watch.bits(), u64: token };
        // SAFETY: the event lives through the call; a descriptor that is not open is an error.
        checked(unsafe {
            libc::epoll_ctl(self.fd.as_raw_fd(), what, fd.as_raw_fd(), &raw mut event)
        })
        .map(drop)
    }

    /// Waits until a socket is ready or the time is over (`None`: without end), and says which are, into `ready`.
    pub(crate) fn wait(
        &mut self,
        time: Option<Duration>,
        ready: &mut Vec<Ready>,
    ) -> io::Result<()> {
        ready.clear();
        let count = match self.wait_exactly(time) {
            Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => self.wait_roughly(time),
            result => result,
        };
        let count = match count {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            result => result?,
        };
        let events = self.events.iter().take(count);
        ready.extend(events.map(|event| Ready { token: event.u64, bits: event.events as c_int }));
        Ok(())
    }

    /// To the nanosecond; Linux 5.11 and newer.
    fn wait_exactly(&mut self, time: Option<Duration>) -> io::Result<usize> {
        let limit = time.map(timespec);
        let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: the events are written within the length that is given; the time limit lives through the call.
        let count = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.fd.as_raw_fd(),
                self.events.as_mut_ptr(),
                self.events.len() as c_int,
                limit,
                null_mut::<c_void>(),
                0_usize,
            )
        };
        usize::try_from(count).map_err(|_| io::Error::last_os_error())
    }

    /// To the millisecond, never early; older kernels.
    fn wait_roughly(&mut self, time: Option<Duration>) -> io::Result<usize> {
        let limit = time.map_or(-1, |time| {
            c_int::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX)
        });
        let events = self.events.as_mut_ptr();
        let length = self.events.len() as c_int;
        // SAFETY: the events are written within the length that is given.
        let count = unsafe { libc::epoll_wait(self.fd.as_raw_fd(), events, length, limit) };
        checked(count).map(|count| usize::try_from(count).unwrap_or_default())
    }
}

fn timespec(time: Duration) -> libc::timespec {
    // SAFETY: all zeros is a valid value of this plain struct (it has hidden padding on some targets).
    let mut spec: libc::timespec = unsafe { zeroed() };
    spec.tv_sec = libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX);
    spec.tv_nsec = time.subsec_nanos() as _;
    spec
}

/// Something that another thread can ring, and epoll hears: an eventfd.
#[derive(Debug)]
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: a call without pointers; what it returns is an open descriptor that nobody else owns.
        let fd = checked(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: as above.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Rings. It rings on until it is hushed.
    pub(crate) fn ring(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: eight octets that live through the call. The one possible error is a counter that is full: it rings already.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Silence.
    pub(crate) fn hush(&self) {
        let mut count = [0_u8; 8];
        // SAFETY: eight octets that live through the call. The one possible error is that it did not ring.
        unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
    }
}

impl AsRawFd for Bell {
    fn as_raw_fd(&self) -> c_int {
        self.0.as_raw_fd()
    }
}

/// A datagram that came, still in the buffer of its [`Batch`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Datagram<'a> {
    /// Who sent it.
    pub from: SocketAddr,
    /// Which of our addresses it was sent to, when the socket was told to say so.
    pub to: Option<IpAddr>,
    /// What it holds.
    pub octets: &'a [u8],
}

/// Buffers for a batch of datagrams of any size. Pages that are never touched cost nothing. It stays on the thread that made it.
pub(crate) struct Batch {
    octets: Vec<u8>,
    names: Vec<libc::sockaddr_storage>,
    controls: Vec<Control>,
    /// Points into `headers`, which point into all of the above: none of them is moved or resized while the batch lives.
    _vectors: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
    came: usize,
}

impl Batch {
    /// Room for `count` datagrams.
    pub(crate) fn new(count: usize) -> Self {
        let mut octets = vec![0; count.saturating_mul(STRIDE)];
        // SAFETY: all zeros is a valid value of these plain structs.
        let (name, header): (libc::sockaddr_storage, libc::mmsghdr) =
            unsafe { (zeroed(), zeroed()) };
        let mut names = vec![name; count];
        let mut controls = vec![Control::EMPTY; count];
        let mut vectors: Vec<libc::iovec> = octets
            .chunks_exact_mut(STRIDE)
            .map(|room| libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: DATAGRAM })
            .collect();
        let mut headers = vec![header; count];
        let rooms = vectors.iter_mut().zip(&mut names).zip(&mut controls);
        for (header, ((vector, name), control)) in headers.iter_mut().zip(rooms) {
            header.msg_hdr.msg_name = std::ptr::from_mut(name).cast();
            header.msg_hdr.msg_iov = vector;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
        }
        Self { octets, names, controls, _vectors: vectors, headers, came: count }
    }

    /// How many fit.
    pub(crate) fn room(&self) -> usize {
        self.headers.len()
    }

    /// Takes what has come, without waiting; 0 when nothing has.
    pub(crate) fn receive(&mut self, socket: &impl AsRawFd) -> io::Result<usize> {
        // Only what the kernel changed the last time must be set again.
        for header in self.headers.iter_mut().take(self.came) {
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as socklen_t;
            header.msg_hdr.msg_controllen = size_of::<Control>() as _;
        }
        self.came = 0;
        let room = self.headers.len() as libc::c_uint;
        let headers = self.headers.as_mut_ptr();
        let flags = libc::MSG_DONTWAIT as _;
        // SAFETY: `room` headers; their pointers go to buffers of the lengths given, which this batch owns and nobody reads meanwhile.
        let result =
            unsafe { libc::recvmmsg(socket.as_raw_fd(), headers, room, flags, null_mut()) };
        match checked(result) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(error),
            Ok(count) => {
                self.came = usize::try_from(count).unwrap_or_default();
                Ok(self.came)
            }
        }
    }

    /// The datagrams of the last [`receive`](Self::receive).
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        let rooms = self.octets.chunks_exact(STRIDE).zip(&self.names).zip(&self.controls);
        self.headers.iter().take(self.came).zip(rooms).filter_map(
            |(header, ((octets, name), control))| {
                let from = address(name, header.msg_hdr.msg_namelen)?;
                let to = control.local_address(header.msg_hdr.msg_controllen);
                let octets = octets.get(..usize::try_from(header.msg_len).ok()?)?;
                Some(Datagram { from, to, octets })
            },
        )
    }
}

/// The most datagrams that go into the kernel or come out of it in one call.
pub(crate) const BATCH_MOST: usize = 64;

/// A datagram to send.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// Where to.
    pub to: SocketAddr,
    /// Which of our addresses it is to come from; `None`: as the kernel likes.
    pub from: Option<IpAddr>,
    /// What it holds.
    pub octets: Bytes,
}

/// Sends the first datagrams of a row, without waiting: up to [`BATCH_MOST`], or as many [trains](crate::trains). Says how many datagrams went; an error
/// is about the first, or its train (or about an earlier one, when an ICMP message has come back).
pub(crate) fn send(socket: &impl AsRawFd, parcels: &[Parcel], ways: Ways<'_>) -> io::Result<usize> {
    // Left as they are until they are filled: zeroing 29 KiB would cost as much as sending a datagram.
    let mut names = [const { MaybeUninit::<libc::sockaddr_storage>::uninit() }; BATCH_MOST];
    let mut vectors = [const { MaybeUninit::<libc::iovec>::uninit() }; limits::CARGO];
    let mut controls = [const { MaybeUninit::<Control>::uninit() }; BATCH_MOST];
    let mut headers = [const { MaybeUninit::<libc::mmsghdr>::uninit() }; BATCH_MOST];
    let parcels = parcels.get(..limits::CARGO).unwrap_or(parcels);
    let (mut count, mut free) = (0, &mut vectors[..]);
    let rooms = headers.iter_mut().zip(&mut names).zip(&mut controls);
    for (train, ((header, name), control)) in trains::cut(parcels, ways).zip(rooms) {
        let Some((first, vectors)) = train.first().zip(free.split_off_mut(..train.len())) else {
            break;
        };
        for (vector, parcel) in vectors.iter_mut().zip(train) {
            let start = parcel.octets.as_ptr().cast_mut().cast();
            vector.write(libc::iovec { iov_base: start, iov_len: parcel.octets.len() });
        }
        // SAFETY: all zeros is a valid value of this plain struct: no name, no buffers, no control.
        let header = header.write(unsafe { zeroed() });
        header.msg_hdr.msg_namelen = put_address(name, first.to);
        header.msg_hdr.msg_name = name.as_mut_ptr().cast();
        header.msg_hdr.msg_iov = vectors.as_mut_ptr().cast();
        header.msg_hdr.msg_iovlen = train.len() as _;
        let segment = u16::try_from(first.octets.len()).ok().filter(|_| train.len() > 1);
        if first.from.is_some() || segment.is_some() {
            let (filled, length) = Control::of(first.from, segment);
            header.msg_hdr.msg_control = std::ptr::from_mut(control.write(filled)).cast();
            header.msg_hdr.msg_controllen = length as _;
        }
        count += 1;
    }
    let (headers, flags) = (headers.as_mut_ptr().cast(), libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL);
    // SAFETY: `count` headers are filled, and as many buffers as they say; the pointers go to what lives through the call, which only reads it.
    let sent = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers, count, flags as _) };
    let sent = usize::try_from(checked(sent)?).unwrap_or_default();
    Ok(trains::cut(parcels, ways).take(sent).map(<[_]>::len).sum())
}

/// The next entry of a socket's error queue: a peer that cannot be reached (RFC 3261 §18.4). `Ok(None)` when it is empty;
/// `Ok(Some(None))` for an entry that says nothing of the kind.
pub(crate) fn next_error(socket: &impl AsRawFd) -> io::Result<Option<Option<SocketAddr>>> {
    let mut octets = [0_u8; 64];
    let mut control = Control::EMPTY;
    // SAFETY: all zeros is a valid value of these plain structs.
    let (mut name, mut header): (libc::sockaddr_storage, libc::msghdr) =
        unsafe { (zeroed(), zeroed()) };
    let mut vector = libc::iovec { iov_base: octets.as_mut_ptr().cast(), iov_len: octets.len() };
    header.msg_name = std::ptr::from_mut(&mut name).cast();
    header.msg_namelen = size_of::<libc::sockaddr_storage>() as socklen_t;
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = size_of::<Control>() as _;
    // SAFETY: all pointers go to buffers of the lengths given, which live through the call.
    let result = unsafe {
        libc::recvmsg(socket.as_raw_fd(), &raw mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT)
    };
    if result < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::WouldBlock { Ok(None) } else { Err(error) };
    }
    let length = header.msg_controllen;
    let unreachable = control.is_unreachable(length);
    Ok(Some(address(&name, header.msg_namelen).filter(|_| unreachable)))
}

/// Reads an address that the kernel wrote.
fn address(name: &libc::sockaddr_storage, length: socklen_t) -> Option<SocketAddr> {
    let length = length as usize;
    match c_int::from(name.ss_family) {
        libc::AF_INET if length >= size_of::<libc::sockaddr_in>() => {
            // SAFETY: the family says what it is, the length that it is whole; the storage is aligned for all of them.
            let name = unsafe { &*std::ptr::from_ref(name).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
            Some(SocketAddrV4::new(ip, u16::from_be(name.sin_port)).into())
        }
        libc::AF_INET6 if length >= size_of::<libc::sockaddr_in6>() => {
            // SAFETY: as above.
            let name = unsafe { &*std::ptr::from_ref(name).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(name.sin6_addr.s6_addr);
            Some(SocketAddrV6::new(ip, u16::from_be(name.sin6_port), 0, name.sin6_scope_id).into())
        }
        _ => None,
    }
}

/// Writes an address for the kernel. Says how long it is.
fn put_address(name: &mut MaybeUninit<libc::sockaddr_storage>, to: SocketAddr) -> socklen_t {
    match to {
        SocketAddr::V4(to) => {
            // SAFETY: all zeros is a valid value of this plain struct.
            let mut place: libc::sockaddr_in = unsafe { zeroed() };
            place.sin_family = libc::AF_INET as _;
            place.sin_port = to.port().to_be();
            place.sin_addr.s_addr = u32::from(*to.ip()).to_be();
            // SAFETY: the storage is larger than every address and aligned for all of them.
            unsafe { name.as_mut_ptr().cast::<libc::sockaddr_in>().write(place) };
            size_of::<libc::sockaddr_in>() as socklen_t
        }
        SocketAddr::V6(to) => {
            // SAFETY: as above.
            let mut place: libc::sockaddr_in6 = unsafe { zeroed() };
            place.sin6_family = libc::AF_INET6 as _;
            place.sin6_port = to.port().to_be();
            place.sin6_addr.s6_addr = to.ip().octets();
            place.sin6_scope_id = to.scope_id();
            // SAFETY: as above.
            unsafe { name.as_mut_ptr().cast::<libc::sockaddr_in6>().write(place) };
            size_of::<libc::sockaddr_in6>() as socklen_t
        }
    }
}

/// What a UDP socket is asked to say beside the datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    /// Which peers cannot be reached (the error queue).
    Errors,
    /// Which of our addresses each datagram came to.
    LocalAddress,
}

/// Asks a UDP socket to say more.
pub(crate) fn ask(socket: &impl AsRawFd, family: SocketAddr, what: Tell) -> io::Result<()> {
    let (level, name) = match (family, what) {
        (SocketAddr::V4(_), Tell::Errors) => (libc::IPPROTO_IP, libc::IP_RECVERR),
        (SocketAddr::V4(_), Tell::LocalAddress) => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        (SocketAddr::V6(_), Tell::Errors) => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
        (SocketAddr::V6(_), Tell::LocalAddress) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    };
    set(socket, level, name, 1)
}

/// Asks for a receive buffer of so many octets: beyond what the system allows to everybody when we may, else as far as it allows.
pub(crate) fn ask_buffer(socket: &impl AsRawFd, octets: usize) -> io::Result<()> {
    let octets = c_int::try_from(octets).unwrap_or(c_int::MAX);
    set(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, octets)
        .or_else(|_| set(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, octets))
}

/// What a socket carries, as routers see it in the DSCP field of its packets (RFC 4594 §4.1, §4.2), with the two bits for congestion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// EF.
    Sound = 46 << 2,
    /// CS5.
    Signalling = 40 << 2,
}

/// Marks what a socket sends. Networks that know no marks ignore them, so an error is none of ours either.
pub(crate) fn mark(socket: &impl AsRawFd, family: SocketAddr, class: Class) {
    let (level, name) = match family {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_TOS),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_TCLASS),
    };
    drop(set(socket, level, name, class as c_int));
}

/// Sets an option of a socket that is a whole number.
pub(crate) fn set(
    socket: &impl AsRawFd,
    level: c_int,
    name: c_int,
    value: c_int,
) -> io::Result<()> {
    let place = std::ptr::from_ref(&value).cast();
    let length = size_of::<c_int>() as socklen_t;
    // SAFETY: the value is an int that lives through the call.
    checked(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, place, length) }).map(drop)
}

/// An instruction of the kernel's packet filter (Documentation/networking/filter.rst): what, where to go on if true and if false, and
/// its number.
pub(crate) type Instruction = (u16, u8, u8, u32);

/// Lets the kernel look at each datagram first; those for which the program says 0 never come. Without one, all come.
pub(crate) fn attach(socket: &impl AsRawFd, program: &[Instruction]) -> io::Result<()> {
    if program.is_empty() {
        return match set(socket, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, 0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        };
    }
    let filter = |&(code, jt, jf, k): &Instruction| libc::sock_filter { code, jt, jf, k };
    let mut program: Vec<libc::sock_filter> = program.iter().map(filter).collect();
    let len = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let whole = libc::sock_fprog { len, filter: program.as_mut_ptr() };
    let length = size_of::<libc::sock_fprog>() as socklen_t;
    let place = std::ptr::from_ref(&whole).cast();
    // SAFETY: `len` instructions that live through the call, which copies and checks them.
    checked(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            place,
            length,
        )
    })
    .map(drop)
}

/// How many datagrams the kernel has thrown away because this socket's buffer was full.
pub(crate) fn overflowed(socket: &impl AsRawFd) -> u64 {
    // include/uapi/linux/sock_diag.h: SK_MEMINFO_DROPS is the ninth of nine.
    const DROPS: usize = 8;
    let mut figures = [0_u32; DROPS + 1];
    let mut length = size_of_val(&figures) as socklen_t;
    let place = figures.as_mut_ptr().cast();
    // SAFETY: the figures are written within the length that is given.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            place,
            &raw mut length,
        )
    };
    if result == 0 { figures.get(DROPS).copied().map_or(0, u64::from) } else { 0 }
}

/// Raises the limit of open files as far as we may, and says what it is now.
pub(crate) fn raise_file_limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit is written, and then read, within its own size.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) != 0 {
            return 1024;
        }
        let wanted = libc::rlimit { rlim_cur: limit.rlim_max, ..limit };
        if libc::setrlimit(libc::RLIMIT_NOFILE, &raw const wanted) == 0 {
            limit = wanted;
        }
    }
    limit.rlim_cur
}

/// Has the kernel write no image of our memory anywhere when we crash: there are passwords in it. False when it does not obey.
pub fn forbid_core_dumps() -> bool {
    // core(5): a limit below a page writes no file; and exactly 1 starts no program that would take the image either.
    let least = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
    // SAFETY: the limit is read within its own size.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const least) == 0 }
}

/// Has the kernel give us memory in small pages only: to clear one of 2 MB that we asked for half a kilobyte of is a pause of its own,
/// and such a page is given back only as a whole. Where it does not obey, all is as before.
pub fn forbid_huge_pages() {
    let (yes, nothing) = (1 as libc::c_ulong, 0 as libc::c_ulong);
    // SAFETY: a call without pointers.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, yes, nothing, nothing, nothing) };
}

/// Gives the kernel back what nobody has used for a second. The allocator (mimalloc) does so by itself while memory is taken and given;
/// what was given last would stay until something happens.
pub fn give_memory_back() {
    // SAFETY: a call without pointers, from any thread.
    unsafe { libmimalloc_sys::mi_collect(false) };
}

/// How much CPU this thread has had; nothing where the kernel does not say.
pub(crate) fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time is written within its own size.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanos)
}

/// Lets this thread's sleeps end within a microsecond of their time; the kernel's habit is 50.
pub(crate) fn sharpen_timers() {
    // SAFETY: a call without pointers; it cannot fail with these arguments.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1000 as libc::c_ulong) };
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_wait_is_told_to_the_nanosecond() {
        let told = super::timespec(std::time::Duration::new(2, 1_100_001));
        assert_eq!((told.tv_sec, told.tv_nsec), (2, 1_100_001));
    }
}
