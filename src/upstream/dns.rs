//! The one question Russet asks the DNS itself: what a domain says in TXT records — RFC 1035.
//!
//! Only the connection doctor asks, and believes nothing but this. A resolver crate would weigh more
//! than a tenth of all dependencies for it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;

const TIMEOUT: Duration = Duration::from_secs(3);
const RESOLVER: &str = "/etc/resolv.conf";
const TXT: u16 = 16;
const INTERNET: u16 = 1;
/// A pointer to a name further up takes two bytes.
const POINTER: u8 = 0xc0;

/// A domain's TXT records, each as one text; none if it has none.
///
/// # Errors
/// Why nobody answered.
pub(super) async fn txt(domain: &str, id: u16) -> Result<Vec<String>, String> {
    let configured = tokio::fs::read_to_string(RESOLVER).await.map_err(|e| e.to_string())?;
    let server = name_server(&configured).ok_or_else(|| format!("{RESOLVER} names none"))?;
    ask(SocketAddr::new(server, 53), domain, id).await
}

async fn ask(server: SocketAddr, domain: &str, id: u16) -> Result<Vec<String>, String> {
    let query = question(domain, id).ok_or_else(|| "not a domain name".to_owned())?;
    let own: SocketAddr = match server {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let exchange = async {
        let socket = UdpSocket::bind(own).await?;
        // Connected: datagrams from anybody else are dropped.
        socket.connect(server).await?;
        socket.send(&query).await?;
        let mut buffer = vec![0; 4096];
        let length = socket.recv(&mut buffer).await?;
        buffer.truncate(length);
        Ok::<_, std::io::Error>(buffer)
    };
    let answer = tokio::time::timeout(TIMEOUT, exchange)
        .await
        .map_err(|_| "no answer in three seconds".to_owned())?
        .map_err(|error| error.to_string())?;
    read(&answer, id)
}

fn name_server(configured: &str) -> Option<IpAddr> {
    configured.lines().find_map(|line| line.strip_prefix("nameserver")?.trim().parse().ok())
}

/// A query that wants recursion and takes answers of up to 4096 bytes (EDNS, RFC 6891).
fn question(domain: &str, id: u16) -> Option<Vec<u8>> {
    let mut query = Vec::with_capacity(64);
    for word in [id, 0x0100, 1, 0, 0, 1] {
        query.extend(word.to_be_bytes());
    }
    for label in domain.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        query.push(length);
        query.extend(label.as_bytes());
    }
    query.push(0);
    for word in [TXT, INTERNET] {
        query.extend(word.to_be_bytes());
    }
    query.extend([0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]);
    Some(query)
}

/// The texts of an answer to the query with this id.
fn read(answer: &[u8], id: u16) -> Result<Vec<String>, String> {
    let malformed = || "the answer cannot be read".to_owned();
    let mut rest = Rest(answer);
    let mut header = [0; 6];
    for word in &mut header {
        *word = rest.word().ok_or_else(malformed)?;
    }
    let [answered, flags, questions, records, ..] = header;
    if answered != id || flags & 0x8000 == 0 {
        return Err("the answer is to another question".to_owned());
    }
    match flags & 0x000f {
        0 => {}
        3 => return Ok(Vec::new()),
        code => return Err(format!("the name server answers with code {code}")),
    }
    if flags & 0x0200 != 0 {
        return Err("the answer is too long for one datagram".to_owned());
    }
    for _ in 0..questions {
        rest.name().and_then(|()| rest.take(4)).ok_or_else(malformed)?;
    }
    let mut texts = Vec::new();
    for _ in 0..records {
        texts.extend(rest.record().ok_or_else(malformed)?);
    }
    Ok(texts)
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// Passes over a name; where a pointer leads is of no interest.
    fn name(&mut self) -> Option<()> {
        loop {
            match self.byte()? {
                0 => return Some(()),
                length if length & POINTER == POINTER => return self.take(1).map(|_| ()),
                length if length & POINTER == 0 => self.take(usize::from(length)).map(|_| ())?,
                _ => return None,
            }
        }
    }

    /// Passes over a record: outer `None` when it cannot be read, inner when it is no text.
    fn record(&mut self) -> Option<Option<String>> {
        self.name()?;
        let (kind, _class) = (self.word()?, self.word()?);
        self.take(4)?;
        let length = usize::from(self.word()?);
        let mut data = Rest(self.take(length)?);
        if kind != TXT {
            return Some(None);
        }
        // RFC 7208 §3.3: the strings of one record are joined without a space.
        let mut text = Vec::new();
        while !data.0.is_empty() {
            let length = usize::from(data.byte()?);
            text.extend(data.take(length)?);
        }
        Some(String::from_utf8(text).ok())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(query: &[u8], flags: u16, records: &[(u16, &[u8])]) -> Vec<u8> {
        // The question without the EDNS record behind it.
        let question = query.get(12..query.len() - 11).unwrap();
        let mut answer = query.get(..2).unwrap().to_vec();
        for word in [flags, 1, u16::try_from(records.len()).unwrap(), 0, 0] {
            answer.extend(word.to_be_bytes());
        }
        answer.extend(question);
        for (kind, data) in records {
            answer.extend([0xc0, 12]);
            for word in [*kind, INTERNET, 0, 300, u16::try_from(data.len()).unwrap()] {
                answer.extend(word.to_be_bytes());
            }
            answer.extend(*data);
        }
        answer
    }

    #[tokio::test]
    async fn a_name_server_on_loopback_is_asked_and_read() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let answering = async {
            let mut buffer = [0; 512];
            let (length, from) = server.recv_from(&mut buffer).await.unwrap();
            let records: &[(u16, &[u8])] =
                &[(5, b"\x00"), (TXT, b"\x07v=spf1 \x04-all"), (TXT, b"\x05other")];
            let answer = answer(&buffer[..length], 0x8180, records);
            server.send_to(&answer, from).await.unwrap();
        };
        let (found, ()) = tokio::join!(ask(address, "shop.example.", 7), answering);
        assert_eq!(found.unwrap(), ["v=spf1 -all", "other"]);
    }

    #[test]
    fn each_bad_answer_has_its_word() {
        let query = question("shop.example", 7).unwrap();
        assert_eq!(read(&answer(&query, 0x8183, &[]), 7), Ok(Vec::new()), "no such domain");
        for (bad, says) in [
            (answer(&query, 0x8182, &[]), "code 2"),
            (answer(&query, 0x8380, &[]), "too long"),
            (answer(&query, 0x0100, &[]), "another question"),
            (answer(&question("shop.example", 8).unwrap(), 0x8180, &[]), "another question"),
            (answer(&query, 0x8180, &[(TXT, b"\x09short")]), "cannot be read"),
            (Vec::new(), "cannot be read"),
        ] {
            assert!(read(&bad, 7).unwrap_err().contains(says), "{says}");
        }
        assert!(question("a..b", 7).is_none() && question(&"a".repeat(64), 7).is_none());
    }

    #[test]
    fn the_first_name_server_counts() {
        let configured = "# none\nsearch example\nnameserver 192.0.2.1\nnameserver ::1\n";
        assert_eq!(name_server(configured), "192.0.2.1".parse().ok());
        assert_eq!(name_server("search example\n"), None);
    }

    proptest! {
        #[test]
        fn whatever_a_name_server_sends_is_read_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = read(&bytes, 7);
        }
    }
}
