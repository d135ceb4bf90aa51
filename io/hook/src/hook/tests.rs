//! A hook, and programs on loopback that are kind, unkind, silent or not there.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::*;

/// Reads one request; its body.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

/// What comes of a letter to a program that does this with it.
fn posted(program: impl FnOnce(TcpStream) + Send + 'static) -> Result<(), Refusal> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/push", listener.local_addr().unwrap());
    let served = thread::spawn(move || program(listener.accept().unwrap().0));
    let hook = Hook::start(&Url::read(&url).unwrap()).unwrap();
    let (told, heard) = channel();
    hook.post("{\"a\":1}".into(), move |answer| told.send(answer).unwrap());
    let answer = heard.recv_timeout(Duration::from_secs(60)).unwrap();
    served.join().unwrap();
    answer
}

fn saying(status: &'static str) -> impl FnOnce(TcpStream) {
    move |mut stream| {
        assert_eq!(read(&stream), "{\"a\":1}");
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
    }
}

#[test]
fn a_2xx_takes_it_and_nothing_else_does() {
    assert_eq!(posted(saying("204 No Content")), Ok(()));
    assert_eq!(posted(saying("404 Not Found")), Err(Refusal::Status(404)));
    assert_eq!(posted(saying("307 Elsewhere\r\nLocation: /")), Err(Refusal::Status(307)));
    assert!(matches!(posted(saying("nonsense")), Err(Refusal::Unreachable(_))));
    assert!(matches!(posted(drop), Err(Refusal::Unreachable(_))));
}

#[test]
fn a_program_that_says_nothing_is_given_up_in_time() {
    let began = Instant::now();
    let answer = posted(|stream| {
        read(&stream);
        // Until the other side gives up.
        let _ = (&stream).read(&mut [0]);
    });
    assert!(matches!(answer, Err(Refusal::Unreachable(_))), "{answer:?}");
    assert!(began.elapsed() >= limits::DEADLINE);
}

#[test]
fn nobody_there_is_said_at_once_and_too_much_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::read(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let hook = Hook::start(&url).unwrap();
    let (told, heard) = channel();
    // Nobody accepts: the threads wait, then the room is full.
    for _ in 0..=limits::WAITING + limits::THREADS {
        let told = told.clone();
        hook.post(String::new(), move |answer| drop(told.send(answer)));
    }
    assert_eq!(heard.recv_timeout(Duration::from_secs(60)), Ok(Err(Refusal::TooMuch)));
    drop(listener);
    drop(hook);
}
