//! Turns every delivery into a task, in Rust without crates.
//!
//! `cargo build --release --offline` makes target/release/libminimal_webhook_rust.so, which is the plugin.
mod davit_abi;

use davit_abi::*;
use std::ffi::c_void;

unsafe extern "C" fn parse_payload(
    _: *mut c_void,
    call: *const davit_call,
    request: *const davit_request,
    parsed: *const davit_sink,
) -> davit_status {
    guarded(call, || {
        let body = (*request).body.str();
        if body.is_empty() {
            return fail(call, DAVIT_INVALID_INPUT, "the body is empty");
        }
        write(parsed, body)
    })
}

unsafe extern "C" fn should_process(
    _: *mut c_void,
    _: *const davit_call,
    _: davit_text,
    _: *const davit_sink,
) -> davit_status {
    DAVIT_OK
}

/// What was parsed is JSON already, so it can be put into the answer as it is.
unsafe extern "C" fn handle(
    _: *mut c_void,
    call: *const davit_call,
    parsed: davit_text,
    answer: *const davit_sink,
) -> davit_status {
    guarded(call, || {
        let text = format!(
            r#"{{"response":{{"status":"queued","message":"Queued"}},"tasks":[{{"agent":"echo-rust-agent","title":"An event","payload":{}}}]}}"#,
            parsed.str()
        );
        write(answer, &text)
    })
}

unsafe extern "C" fn destroy(_: *mut c_void) {}

/// max_body_bytes: a task's payload may have 1 MiB.
unsafe extern "C" fn metadata(_: u32, _: *const davit_call, out: *const davit_sink) -> davit_status {
    write(
        out,
        r#"{"name": "echo-rust", "description": "Turns every delivery into a task", "version": "1.0.0",
            "secret_env_var": "ECHO_RUST_WEBHOOK_SECRET", "delivery_id": {"header": "X-Echo-Delivery"}, "max_body_bytes": 1000000,
            "signature": {"headers": ["X-Echo-Signature"], "signed": "{body}",
                          "accept": [{"prefix": "sha256=", "algorithm": "hmac-sha256", "encoding": "hex"}]}}"#,
    )
}

unsafe extern "C" fn create(
    _: u32,
    _: *const davit_host,
    _: *const davit_call,
    webhook: *mut davit_webhook,
) -> davit_status {
    let made = davit_webhook {
        struct_size: std::mem::size_of::<davit_webhook>() as u32,
        reserved: 0,
        self_: std::ptr::null_mut(),
        validate_signature: None,
        answer_unverified: None,
        parse_payload: Some(parse_payload),
        should_process: Some(should_process),
        handle: Some(handle),
        destroy: Some(destroy),
    };
    fill(webhook, &made);
    DAVIT_OK
}

static FACTORY: davit_webhook_factory = davit_webhook_factory {
    struct_size: std::mem::size_of::<davit_webhook_factory>() as u32,
    abi_minor_needed: 0,
    abi_minor_built: DAVIT_ABI_MINOR,
    count: 1,
    metadata,
    create,
};

#[no_mangle]
pub extern "C" fn davit_webhook_factory_v1() -> *const davit_webhook_factory {
    &FACTORY
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::null_mut;

    #[test]
    fn a_delivery_becomes_a_task() {
        let request = testing::request(r#"{"order":7}"#);
        let parsed = testing::call(|call, sink| unsafe { parse_payload(null_mut(), call, &request, sink) });
        assert_eq!((parsed.status, parsed.output.as_str()), (DAVIT_OK, r#"{"order":7}"#));
        let answer = testing::call(|call, sink| unsafe { handle(null_mut(), call, davit_text::of(&parsed.output), sink) });
        assert_eq!(answer.status, DAVIT_OK);
        assert!(answer.output.contains(r#""agent":"echo-rust-agent","title":"An event","payload":{"order":7}"#));
    }

    #[test]
    fn an_empty_body_is_refused_with_a_sentence() {
        let request = testing::request("");
        let parsed = testing::call(|call, sink| unsafe { parse_payload(null_mut(), call, &request, sink) });
        assert_eq!((parsed.status, parsed.error.as_str()), (DAVIT_INVALID_INPUT, "the body is empty"));
    }

    #[test]
    fn no_more_is_written_than_there_is_room_for() {
        let mut room: davit_webhook = testing::room();
        let host = testing::host("{}");
        let outcome = testing::call(|call, _| unsafe { create(0, &host, call, &mut room) });
        assert_eq!(outcome.status, DAVIT_OK);
        assert_eq!(room.struct_size as usize, std::mem::size_of::<davit_webhook>());
        assert!(room.handle.is_some() && room.validate_signature.is_none());
    }
}
