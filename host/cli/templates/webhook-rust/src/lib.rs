//! Turns deliveries of @TITLE@ into tasks.
mod davit_abi;

use davit_abi::*;
use std::ffi::c_void;

/// The first header of that name, in any case; empty if there is none.
unsafe fn header<'a>(request: *const davit_request, name: &str) -> &'a [u8] {
    if (*request).header_count == 0 {
        return &[];
    }
    std::slice::from_raw_parts((*request).headers, (*request).header_count as usize)
        .iter()
        .find(|header| header.name.bytes().eq_ignore_ascii_case(name.as_bytes()))
        .map_or(&[], |header| header.value.bytes())
}

/// What is this about? Writes JSON for the next hooks; here, the body: the host lets none pass that is
/// no JSON.
unsafe extern "C" fn parse_payload(
    _: *mut c_void,
    call: *const davit_call,
    request: *const davit_request,
    parsed: *const davit_sink,
) -> davit_status {
    guarded(call, || {
        if header(request, "@HEADER@-Event") != b"failed" {
            write(parsed, "nothing failed");
            return DAVIT_IGNORED;
        }
        let body = (*request).body.str();
        if body.is_empty() {
            return fail(call, DAVIT_INVALID_INPUT, "the body is empty");
        }
        write(parsed, body)
    })
}

/// Shall anything happen?
unsafe extern "C" fn should_process(
    _: *mut c_void,
    _: *const davit_call,
    _: davit_text,
    _: *const davit_sink,
) -> davit_status {
    DAVIT_OK
}

/// What shall happen? The host does it; this only says so.
unsafe extern "C" fn handle(
    _: *mut c_void,
    call: *const davit_call,
    parsed: davit_text,
    answer: *const davit_sink,
) -> davit_status {
    guarded(call, || {
        let text = format!(
            r#"{{"response":{{"status":"queued","message":"Looking into it"}},"tasks":[{{"agent":"command-agent","title":"Something failed","payload":{}}}]}}"#,
            parsed.str()
        );
        write(answer, &text)
    })
}

unsafe extern "C" fn destroy(_: *mut c_void) {}

/// The host checks the signature as this says. max_body_bytes: a task's payload may have 1 MiB.
unsafe extern "C" fn metadata(_: u32, _: *const davit_call, out: *const davit_sink) -> davit_status {
    write(
        out,
        r#"{"name": "@NAME@", "description": "Deliveries of @TITLE@", "version": "1.0.0", "secret_env_var": "@VARIABLE@",
            "event_header": "@HEADER@-Event", "delivery_id": {"header": "@HEADER@-Delivery"}, "max_body_bytes": 1000000,
            "sample": {"headers": {"@HEADER@-Event": "failed"}, "body": {"id": 1}},
            "signature": {"headers": ["@HEADER@-Signature"], "signed": "{body}",
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

    fn parse(event: &str) -> testing::Outcome {
        let headers = [davit_header { name: davit_text::of("@HEADER@-event"), value: davit_text::of(event) }];
        let mut request = testing::request(include_str!("../testdata/failed.json"));
        request.headers = headers.as_ptr();
        request.header_count = 1;
        testing::call(|call, sink| unsafe { parse_payload(null_mut(), call, &request, sink) })
    }

    #[test]
    fn what_failed_becomes_a_task() {
        let parsed = parse("failed");
        assert_eq!(parsed.status, DAVIT_OK, "{}", parsed.error);
        let answer = testing::call(|call, sink| unsafe { handle(null_mut(), call, davit_text::of(&parsed.output), sink) });
        assert_eq!(answer.status, DAVIT_OK, "{}", answer.error);
        assert!(answer.output.contains(r#""title":"Something failed","payload":{"id": 7"#), "{}", answer.output);
    }

    #[test]
    fn anything_else_is_ignored() {
        let parsed = parse("succeeded");
        assert_eq!((parsed.status, parsed.output.as_str()), (DAVIT_IGNORED, "nothing failed"));
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
