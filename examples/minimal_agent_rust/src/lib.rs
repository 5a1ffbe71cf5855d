//! Gives its context back as its output, in Rust without crates.
//!
//! `cargo build --release --offline` makes target/release/libminimal_agent_rust.so, which is the plugin.
mod davit_abi;

use davit_abi::*;
use std::ffi::c_void;

struct EchoAgent {
    host: *const davit_host, // valid until destroy()
}

unsafe extern "C" fn execute(
    agent: *mut c_void,
    call: *const davit_call,
    context: davit_text,
    result: *const davit_sink,
) -> davit_status {
    guarded(call, || {
        let agent = &*agent.cast::<EchoAgent>();
        if let Some(progress) = service::<davit_progress_v1>(agent.host, DAVIT_SERVICE_PROGRESS) {
            (progress.report)(call, 0.5, davit_text::of("echo"), davit_text::of("Half way"));
        }
        if ((*call).is_cancelled)(call) != 0 {
            return DAVIT_CANCELLED;
        }
        write(result, &format!(r#"{{"success":true,"output":{{"context":{}}}}}"#, context.str()))
    })
}

unsafe extern "C" fn destroy(agent: *mut c_void) {
    drop(Box::from_raw(agent.cast::<EchoAgent>()));
}

unsafe extern "C" fn metadata(_: u32, _: *const davit_call, out: *const davit_sink) -> davit_status {
    write(
        out,
        r#"{"name": "echo-rust-agent", "display_name": "Echo Agent", "description": "Gives its context back",
            "capabilities": ["analysis"], "version": "1.0.0"}"#,
    )
}

unsafe extern "C" fn create(
    _: u32,
    host: *const davit_host,
    call: *const davit_call,
    agent: *mut davit_agent,
) -> davit_status {
    guarded(call, || {
        let made = davit_agent {
            struct_size: std::mem::size_of::<davit_agent>() as u32,
            reserved: 0,
            self_: Box::into_raw(Box::new(EchoAgent { host })).cast(),
            pre_execute: None,
            execute: Some(execute),
            post_execute: None,
            on_error: None,
            cancel: None,
            destroy: Some(destroy),
        };
        fill(agent, &made);
        DAVIT_OK
    })
}

static FACTORY: davit_agent_factory = davit_agent_factory {
    struct_size: std::mem::size_of::<davit_agent_factory>() as u32,
    abi_minor_needed: 0,
    abi_minor_built: DAVIT_ABI_MINOR,
    count: 1,
    metadata,
    create,
};

#[no_mangle]
pub extern "C" fn davit_agent_factory_v1() -> *const davit_agent_factory {
    &FACTORY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_comes_back_from_create_to_destroy() {
        let host = testing::host("{}");
        let mut agent: davit_agent = testing::room();
        let made = testing::call(|call, _| unsafe { create(0, &host, call, &mut agent) });
        assert_eq!(made.status, DAVIT_OK);
        let result = testing::call(|call, sink| unsafe {
            (agent.execute.unwrap())(agent.self_, call, davit_text::of(r#"{"task_id":"t"}"#), sink)
        });
        assert_eq!(result.output, r#"{"success":true,"output":{"context":{"task_id":"t"}}}"#);
        unsafe { (agent.destroy.unwrap())(agent.self_) };
    }
}
