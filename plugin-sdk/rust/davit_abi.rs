//! The plugin ABI 1.0 for Rust 1.63 and newer, without crates: the structs of davit/abi/*.h under their C names, and below
//! them the few lines that every plugin needs. The C headers say what each function means and which thread calls it.
//!
//! Copy this file and davit_abi.layout into src/. `cargo test` compares every offset with davit_abi.layout.
#![allow(dead_code, non_camel_case_types)]

use std::ffi::c_void;
use std::mem::size_of;

pub const DAVIT_ABI_MINOR: u32 = 0;

pub type davit_status = i32;
pub const DAVIT_OK: davit_status = 0;
pub const DAVIT_IGNORED: davit_status = 1;
pub const DAVIT_INVALID_INPUT: davit_status = 2;
pub const DAVIT_UNAUTHORIZED: davit_status = 3;
pub const DAVIT_NOT_FOUND: davit_status = 4;
pub const DAVIT_RETRYABLE: davit_status = 5;
pub const DAVIT_RATE_LIMITED: davit_status = 6;
pub const DAVIT_CANCELLED: davit_status = 7;
pub const DAVIT_DEADLINE: davit_status = 8;
pub const DAVIT_PERMANENT: davit_status = 9;
pub const DAVIT_INTERNAL: davit_status = 10;
pub const DAVIT_NOT_IMPLEMENTED: davit_status = 11;

pub const DAVIT_LOG_DEBUG: i32 = 0;
pub const DAVIT_LOG_INFO: i32 = 1;
pub const DAVIT_LOG_WARN: i32 = 2;
pub const DAVIT_LOG_ERROR: i32 = 3;

// --- types.h

#[repr(C)]
#[derive(Clone, Copy)]
pub struct davit_text {
    pub data: *const u8,
    pub size: u64,
}

#[repr(C)]
pub struct davit_sink {
    pub struct_size: u32,
    pub reserved: u32,
    pub context: *mut c_void,
    pub write: unsafe extern "C" fn(sink: *const davit_sink, text: davit_text) -> davit_status,
}

#[repr(C)]
pub struct davit_call {
    pub struct_size: u32,
    pub reserved: u32,
    pub context: *mut c_void,
    pub set_error: unsafe extern "C" fn(call: *const davit_call, message: davit_text),
    pub set_retry_after: unsafe extern "C" fn(call: *const davit_call, milliseconds: u64),
    pub remaining_ms: unsafe extern "C" fn(call: *const davit_call) -> u64,
    pub is_cancelled: unsafe extern "C" fn(call: *const davit_call) -> i32,
}

// --- host.h

#[repr(C)]
pub struct davit_host {
    pub struct_size: u32,
    pub abi_minor: u32,
    pub context: *mut c_void,
    pub instance_name: davit_text,
    pub config: davit_text,
    pub log: unsafe extern "C" fn(host: *const davit_host, level: i32, message: davit_text, fields: davit_text),
    pub secret: unsafe extern "C" fn(host: *const davit_host, name: davit_text, out: *const davit_sink) -> davit_status,
    pub now_unix_ms: unsafe extern "C" fn(host: *const davit_host) -> i64,
    pub service: unsafe extern "C" fn(host: *const davit_host, id: davit_text) -> *const c_void,
}

pub const DAVIT_SERVICE_PROGRESS: &str = "davit.progress/1";
#[repr(C)]
pub struct davit_progress_v1 {
    pub struct_size: u32,
    pub reserved: u32,
    pub report: unsafe extern "C" fn(
        call: *const davit_call,
        fraction: f64,
        phase: davit_text,
        message: davit_text,
    ) -> davit_status,
}

pub const DAVIT_SERVICE_USAGE: &str = "davit.usage/1";
#[repr(C)]
pub struct davit_usage_v1 {
    pub struct_size: u32,
    pub reserved: u32,
    pub report: unsafe extern "C" fn(call: *const davit_call, usage: davit_text) -> davit_status,
}

pub const DAVIT_SERVICE_TRANSCRIPT: &str = "davit.transcript/1";
#[repr(C)]
pub struct davit_transcript_v1 {
    pub struct_size: u32,
    pub reserved: u32,
    pub append: unsafe extern "C" fn(call: *const davit_call, kind: davit_text, line: davit_text) -> davit_status,
}

pub const DAVIT_SERVICE_ARTIFACT: &str = "davit.artifact/1";
#[repr(C)]
pub struct davit_artifact_v1 {
    pub struct_size: u32,
    pub reserved: u32,
    pub put: unsafe extern "C" fn(
        call: *const davit_call,
        name: davit_text,
        content_type: davit_text,
        content: davit_text,
    ) -> davit_status,
}

pub const DAVIT_SERVICE_KV: &str = "davit.kv/1";
#[repr(C)]
pub struct davit_kv_v1 {
    pub struct_size: u32,
    pub reserved: u32,
    pub read: unsafe extern "C" fn(call: *const davit_call, key: davit_text, out: *const davit_sink) -> davit_status,
    pub write: unsafe extern "C" fn(call: *const davit_call, key: davit_text, value: davit_text) -> davit_status,
    pub remove: unsafe extern "C" fn(call: *const davit_call, key: davit_text) -> davit_status,
}

// --- webhook.h

#[repr(C)]
#[derive(Clone, Copy)]
pub struct davit_header {
    pub name: davit_text,
    pub value: davit_text,
}

#[repr(C)]
pub struct davit_request {
    pub struct_size: u32,
    pub reserved: u32,
    pub method: davit_text,
    pub path: davit_text,
    pub query: davit_text,
    pub headers: *const davit_header,
    pub header_count: u64,
    pub body: davit_text,
    pub remote_address: davit_text,
    pub request_id: davit_text,
    pub delivery_id: davit_text,
    pub received_unix_ms: i64,
}

#[repr(C)]
pub struct davit_secrets {
    pub struct_size: u32,
    pub count: u32,
    pub values: *const davit_text,
}

pub type davit_request_hook =
    unsafe extern "C" fn(*mut c_void, *const davit_call, *const davit_request, *const davit_sink) -> davit_status;
pub type davit_parsed_hook =
    unsafe extern "C" fn(*mut c_void, *const davit_call, davit_text, *const davit_sink) -> davit_status;
pub type davit_signature_hook = unsafe extern "C" fn(
    *mut c_void,
    *const davit_call,
    *const davit_request,
    *const davit_secrets,
    now_unix_ms: i64,
) -> davit_status;

#[repr(C)]
pub struct davit_webhook {
    pub struct_size: u32,
    pub reserved: u32,
    pub self_: *mut c_void,
    pub validate_signature: Option<davit_signature_hook>,
    pub answer_unverified: Option<davit_request_hook>,
    pub parse_payload: Option<davit_request_hook>,
    pub should_process: Option<davit_parsed_hook>,
    pub handle: Option<davit_parsed_hook>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

pub type davit_metadata_function =
    unsafe extern "C" fn(index: u32, call: *const davit_call, out: *const davit_sink) -> davit_status;

#[repr(C)]
pub struct davit_webhook_factory {
    pub struct_size: u32,
    pub abi_minor_needed: u32,
    pub abi_minor_built: u32,
    pub count: u32,
    pub metadata: davit_metadata_function,
    pub create:
        unsafe extern "C" fn(u32, *const davit_host, *const davit_call, webhook: *mut davit_webhook) -> davit_status,
}

// --- agent.h

#[repr(C)]
pub struct davit_agent {
    pub struct_size: u32,
    pub reserved: u32,
    pub self_: *mut c_void,
    pub pre_execute: Option<davit_parsed_hook>,
    pub execute: Option<davit_parsed_hook>,
    pub post_execute: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *const davit_call,
            context: davit_text,
            result: davit_text,
            changed: *const davit_sink,
        ) -> davit_status,
    >,
    pub on_error: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *const davit_call,
            context: davit_text,
            status: davit_status,
            message: davit_text,
            result: *const davit_sink,
        ) -> davit_status,
    >,
    pub cancel: Option<unsafe extern "C" fn(*mut c_void)>,
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

#[repr(C)]
pub struct davit_agent_factory {
    pub struct_size: u32,
    pub abi_minor_needed: u32,
    pub abi_minor_built: u32,
    pub count: u32,
    pub metadata: davit_metadata_function,
    pub create: unsafe extern "C" fn(u32, *const davit_host, *const davit_call, agent: *mut davit_agent) -> davit_status,
}

// What would be a layout of another ABI does not compile.
const _: () = assert!(size_of::<davit_sink>() == 24 && size_of::<davit_call>() == 48);
const _: () = assert!(size_of::<davit_host>() == 80 && size_of::<davit_request>() == 144);
const _: () = assert!(size_of::<davit_webhook>() == 64 && size_of::<davit_webhook_factory>() == 32);
const _: () = assert!(size_of::<davit_agent>() == 64 && size_of::<davit_agent_factory>() == 32);

// --- what every plugin needs

impl davit_text {
    pub const fn of(text: &str) -> davit_text {
        davit_text { data: text.as_ptr(), size: text.len() as u64 }
    }

    /// # Safety
    /// The text lives as long as whoever gave it says: mostly until the call returns.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.size == 0 {
            return &[];
        }
        std::slice::from_raw_parts(self.data, self.size as usize)
    }

    /// Empty where the bytes are not UTF-8; what the host calls text always is.
    ///
    /// # Safety
    /// As bytes().
    pub unsafe fn str<'a>(self) -> &'a str {
        std::str::from_utf8(self.bytes()).unwrap_or("")
    }
}

/// Appends to the answer.
///
/// # Safety
/// `sink` is the one this call got.
pub unsafe fn write(sink: *const davit_sink, text: &str) -> davit_status {
    ((*sink).write)(sink, davit_text::of(text))
}

/// Ends a call with a status and the sentence for a person.
///
/// # Safety
/// `call` is the one this call got.
pub unsafe fn fail(call: *const davit_call, status: davit_status, sentence: &str) -> davit_status {
    ((*call).set_error)(call, davit_text::of(sentence));
    status
}

/// Runs the body of a hook. No panic crosses the border: it becomes DAVIT_INTERNAL.
///
/// # Safety
/// `call` is the one this call got.
pub unsafe fn guarded(call: *const davit_call, body: impl FnOnce() -> davit_status) -> davit_status {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)) {
        Ok(status) => status,
        Err(panic) => {
            let said = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("without a word");
            fail(call, DAVIT_INTERNAL, &format!("the plugin panicked: {}", said))
        }
    }
}

/// A service of the host; None where it does not know it or did not grant it.
///
/// # Safety
/// `Service` is the struct that host.h has for `id`.
pub unsafe fn service<'a, Service>(host: *const davit_host, id: &str) -> Option<&'a Service> {
    (((*host).service)(host, davit_text::of(id)) as *const Service).as_ref()
}

/// For create(): copies as much of `made` as the host has room for.
///
/// # Safety
/// `Struct` is davit_webhook or davit_agent, and `room` what create() got.
pub unsafe fn fill<Struct>(room: *mut Struct, made: &Struct) {
    let size = (*room.cast::<u32>()).min(size_of::<Struct>() as u32);
    std::ptr::copy_nonoverlapping((made as *const Struct).cast::<u8>(), room.cast::<u8>(), size as usize);
    *room.cast::<u32>() = size;
}

// --- for tests

#[cfg(test)]
pub mod testing {
    //! The poorest host there may be: it grants no secret and offers no service.
    use super::*;
    use std::ptr::null;

    #[derive(Default)]
    pub struct Outcome {
        pub status: davit_status,
        pub output: String,
        pub error: String,
    }

    /// Makes one call of a plugin's function.
    pub fn call(function: impl FnOnce(*const davit_call, *const davit_sink) -> davit_status) -> Outcome {
        let mut output: Vec<u8> = Vec::new();
        let mut error: Vec<u8> = Vec::new();
        let call = davit_call {
            struct_size: size_of::<davit_call>() as u32,
            reserved: 0,
            context: (&mut error as *mut Vec<u8>).cast(),
            set_error,
            set_retry_after,
            remaining_ms,
            is_cancelled,
        };
        let sink = davit_sink {
            struct_size: size_of::<davit_sink>() as u32,
            reserved: 0,
            context: (&mut output as *mut Vec<u8>).cast(),
            write: append,
        };
        let status = function(&call, &sink);
        Outcome {
            status,
            output: String::from_utf8(output).expect("the output is UTF-8"),
            error: String::from_utf8(error).expect("the error is UTF-8"),
        }
    }

    pub fn host(config: &str) -> davit_host {
        davit_host {
            struct_size: size_of::<davit_host>() as u32,
            abi_minor: DAVIT_ABI_MINOR,
            context: std::ptr::null_mut(),
            instance_name: davit_text::of("test"),
            config: davit_text { data: config.as_ptr(), size: config.len() as u64 },
            log,
            secret,
            now_unix_ms,
            service: no_service,
        }
    }

    pub fn request(body: &str) -> davit_request {
        davit_request {
            struct_size: size_of::<davit_request>() as u32,
            reserved: 0,
            method: davit_text::of("POST"),
            path: davit_text::of("/webhooks/test"),
            query: davit_text::of(""),
            headers: null(),
            header_count: 0,
            body: davit_text { data: body.as_ptr(), size: body.len() as u64 },
            remote_address: davit_text::of("127.0.0.1"),
            request_id: davit_text::of("test-request"),
            delivery_id: davit_text::of(""),
            received_unix_ms: 1_700_000_000_000,
        }
    }

    /// The struct for create(), with room for all of it.
    pub fn room<Struct>() -> Struct {
        unsafe {
            let mut room: Struct = std::mem::zeroed();
            *(&mut room as *mut Struct).cast::<u32>() = size_of::<Struct>() as u32;
            room
        }
    }

    unsafe extern "C" fn append(sink: *const davit_sink, text: davit_text) -> davit_status {
        (*(*sink).context.cast::<Vec<u8>>()).extend_from_slice(text.bytes());
        DAVIT_OK
    }
    unsafe extern "C" fn set_error(call: *const davit_call, message: davit_text) {
        *(*call).context.cast::<Vec<u8>>() = message.bytes().to_vec();
    }
    unsafe extern "C" fn set_retry_after(_: *const davit_call, _: u64) {}
    unsafe extern "C" fn remaining_ms(_: *const davit_call) -> u64 {
        u64::MAX
    }
    unsafe extern "C" fn is_cancelled(_: *const davit_call) -> i32 {
        0
    }
    unsafe extern "C" fn log(_: *const davit_host, _: i32, _: davit_text, _: davit_text) {}
    unsafe extern "C" fn secret(_: *const davit_host, _: davit_text, _: *const davit_sink) -> davit_status {
        DAVIT_NOT_FOUND
    }
    unsafe extern "C" fn now_unix_ms(_: *const davit_host) -> i64 {
        1_700_000_000_000
    }
    unsafe extern "C" fn no_service(_: *const davit_host, _: davit_text) -> *const c_void {
        null()
    }
}

#[cfg(test)]
mod layout {
    use super::*;
    use std::fmt::Write;
    use std::mem::MaybeUninit;
    use std::ptr::addr_of;

    fn size_behind<Member>(_: *const Member) -> usize {
        size_of::<Member>()
    }

    macro_rules! structs {
        ($text:ident: $($name:ident { $($member:ident)* })*) => {
            $(
                writeln!($text, "{}", stringify!($name)).unwrap();
                let object = MaybeUninit::<$name>::uninit();
                let base = object.as_ptr();
                $(
                    let member = unsafe { addr_of!((*base).$member) };
                    let offset = member as usize - base as usize;
                    let name = stringify!($member).trim_end_matches('_'); // self is a word of Rust
                    writeln!($text, "  {:3} {:3} {}", offset, size_behind(member), name).unwrap();
                )*
                writeln!($text, "  {:3}", size_of::<$name>()).unwrap();
            )*
        };
    }

    #[test]
    fn every_member_is_where_the_abi_has_it() {
        let mut text = format!("abi 1.{}\n", DAVIT_ABI_MINOR);
        structs! { text:
            davit_text { data size }
            davit_sink { struct_size reserved context write }
            davit_call { struct_size reserved context set_error set_retry_after remaining_ms is_cancelled }
            davit_host { struct_size abi_minor context instance_name config log secret now_unix_ms service }
            davit_progress_v1 { struct_size reserved report }
            davit_usage_v1 { struct_size reserved report }
            davit_transcript_v1 { struct_size reserved append }
            davit_artifact_v1 { struct_size reserved put }
            davit_kv_v1 { struct_size reserved read write remove }
            davit_header { name value }
            davit_request { struct_size reserved method path query headers header_count body remote_address request_id
                            delivery_id received_unix_ms }
            davit_secrets { struct_size count values }
            davit_webhook { struct_size reserved self_ validate_signature answer_unverified parse_payload
                            should_process handle destroy }
            davit_webhook_factory { struct_size abi_minor_needed abi_minor_built count metadata create }
            davit_agent { struct_size reserved self_ pre_execute execute post_execute on_error cancel destroy }
            davit_agent_factory { struct_size abi_minor_needed abi_minor_built count metadata create }
        }
        assert_eq!(text, include_str!("davit_abi.layout"));
    }

    #[test]
    fn a_panic_becomes_a_status_and_a_sentence() {
        let outcome = testing::call(|call, _| unsafe { guarded(call, || panic!("out of ideas")) });
        assert_eq!(outcome.status, DAVIT_INTERNAL);
        assert_eq!(outcome.error, "the plugin panicked: out of ideas");
    }
}
