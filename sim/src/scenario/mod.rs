//! Scenario files: text in, a checked [`Scenario`](crate::model::Scenario) or every error at once out.
