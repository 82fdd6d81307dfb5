//! The transport over real sockets that break in every way.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use http::Method;

use super::*;
use crate::kit::Auth;

/// Takes one connection, reads one request's head, answers with these bytes and closes; gives back the head.
fn answer_once(bytes: &'static [u8]) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.windows(4).any(|w| w == b"\r\n\r\n") {
            let mut buffer = [0; 1024];
            let n = socket.read(&mut buffer).unwrap();
            head.extend_from_slice(&buffer[..n]);
        }
        socket.write_all(bytes).unwrap();
        String::from_utf8(head).unwrap()
    });
    (base, server)
}

fn put(base: &str) -> Request {
    let auth = Auth::None;
    Request::write("book", Method::PUT, base, "/book", Body::None, auth).with_query("mail", "a+b@c.se")
}

#[tokio::test]
async fn what_was_never_connected_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Transport::new().unwrap().exchange(&put(&base), &Authorization::None).await.err().unwrap();
    assert!(matches!(error, NoAnswer::NotSent(_)), "{error:?}");
    assert!(!bokbro_app::error::chain(&error).contains("c.se"), "the address must not be in the error");
}

#[tokio::test]
async fn a_broken_or_half_answer_means_that_it_may_have_been_sent() {
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"] {
        let (base, _) = answer_once(bytes);
        let error =
            Transport::new().unwrap().exchange(&put(&base), &Authorization::None).await.err().unwrap();
        assert!(matches!(error, NoAnswer::MaybeSent(_)), "{error:?}");
    }
}

#[tokio::test]
async fn an_empty_write_tells_its_length_and_an_answer_keeps_what_matters() {
    let (base, seen) = answer_once(
        b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\nx-uid: u1\r\nretry-after: 3\r\ncontent-length: 2\r\n\r\n{}",
    );
    let authorization = Authorization::Basic("me".to_owned(), SecretText::new("secret".to_owned()));
    let answer = Transport::new().unwrap().exchange(&put(&base), &authorization).await.ok().unwrap();
    assert_eq!((answer.status, answer.x_uid.as_deref(), &answer.body[..]), (302, Some("u1"), &b"{}"[..]));
    assert_eq!(answer.retry_after.as_deref(), Some("3"));
    let head = seen.join().unwrap().to_lowercase();
    assert!(head.starts_with("put /book?mail=a%2bb%40c.se http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-length: 0\r\n"), "{head}");
    assert!(head.contains("\r\nauthorization: basic bwu6c2vjcmv0\r\n"), "{head}");
    assert!(head.contains("\r\nuser-agent: bokbro/"), "{head}");
}
