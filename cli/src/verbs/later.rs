//! What the simulator does not offer yet, with the signatures it will have.

/// The JSON schema of scenario files.
pub(super) fn schema() -> String {
    "{}\n".to_owned()
}
