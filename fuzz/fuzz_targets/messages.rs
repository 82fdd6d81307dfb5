//! Texts on queues: none makes a worker panic, and what is a message is written as it was read.
#![no_main]

use bokbro_app::message::Envelope;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(message) = Envelope::parse(text) {
        assert_eq!(Envelope::parse(&message.to_json()).as_ref(), Ok(&message));
    }
});
