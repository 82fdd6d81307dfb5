//! Doors for containers: what listens on 127.0.0.1 of this machine answers on another of its addresses too.

use std::collections::BTreeSet;
use std::net::IpAddr;

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const HERE: &str = "127.0.0.1";

/// Open doors. They close when this is dropped.
pub(super) struct Doors(Vec<JoinHandle<()>>);

impl Doors {
    /// Opens one at `address` for each of the ports.
    ///
    /// # Errors
    /// When the address is not this machine's, or a port is taken there.
    pub(super) async fn open(address: IpAddr, ports: &BTreeSet<u16>) -> Result<Self> {
        let mut doors = Self(Vec::new());
        for port in ports.iter().copied() {
            let listener = TcpListener::bind((address, port)).await?;
            doors.0.push(tokio::spawn(pass_on(listener, port)));
        }
        Ok(doors)
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

async fn pass_on(listener: TcpListener, port: u16) {
    // Whoever goes away in the middle of a call has learned so by the broken connection.
    while let Ok((mut outside, _)) = listener.accept().await {
        tokio::spawn(async move {
            if let Ok(mut inside) = TcpStream::connect((HERE, port)).await {
                copy_bidirectional(&mut outside, &mut inside).await.ok();
            }
        });
    }
}

/// The port, when a value is an address on 127.0.0.1.
pub(super) fn port(value: &str) -> Option<u16> {
    let rest = value.strip_prefix("http://")?.strip_prefix(HERE)?.strip_prefix(':')?;
    rest.split('/').next()?.parse().ok()
}

/// The same value with the doors' address in it.
pub(super) fn from_outside(value: &str, address: IpAddr) -> String {
    match port(value) {
        Some(_) => value.replacen(HERE, &address.to_string(), 1),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn only_addresses_on_this_machine_are_changed() {
        let address: IpAddr = "172.17.0.1".parse().unwrap();
        for (value, wanted, changed) in [
            ("http://127.0.0.1:4566", Some(4566), "http://172.17.0.1:4566"),
            ("http://127.0.0.1:4566/000000000000/q", Some(4566), "http://172.17.0.1:4566/000000000000/q"),
            ("https://api.fortnox.se", None, "https://api.fortnox.se"),
            ("bokbro-local-HubTable", None, "bokbro-local-HubTable"),
            ("http://127.0.0.1", None, "http://127.0.0.1"),
        ] {
            assert_eq!((port(value), from_outside(value, address).as_str()), (wanted, changed));
        }
    }

    #[tokio::test]
    async fn a_door_leads_to_the_same_port() {
        let inside = TcpListener::bind((HERE, 0)).await.unwrap();
        let port = inside.local_addr().unwrap().port();
        let other: IpAddr = "127.0.0.2".parse().unwrap();
        let _doors = Doors::open(other, &[port].into()).await.unwrap();
        let mut outside = TcpStream::connect((other, port)).await.unwrap();
        outside.write_all(b"in").await.unwrap();
        let (mut accepted, _) = inside.accept().await.unwrap();
        let mut heard = [0; 2];
        accepted.read_exact(&mut heard).await.unwrap();
        accepted.write_all(b"out").await.unwrap();
        let mut answered = [0; 3];
        outside.read_exact(&mut answered).await.unwrap();
        assert_eq!((&heard, &answered), (b"in", b"out"));
    }
}
