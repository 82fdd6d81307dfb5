//! The contract as data: each example is what its schema says, each schema is one.

use std::sync::Arc;

use bokbro_app::contract::{Build, ELSEWHERE, openapi, shapes};
use bokbro_connectors::registry::{Registry, Urls};
use bokbro_runtime::SystemClock;
use bokbro_tests::contract::Contract;

fn build() -> Build {
    Build::of(&Registry::new(Urls::default(), Arc::new(SystemClock)).unwrap())
}

#[test]
fn every_example_is_what_its_schema_says() {
    let build = build();
    let contract = Contract { document: openapi(&ELSEWHERE, &build) };
    for shape in shapes::ALL {
        let schema = (shape.schema)(&build);
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{}", shape.name);
        let example = (shape.example)(&build);
        let wrong: Vec<String> = contract
            .validator(&schema)
            .iter_errors(&example)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{}: {wrong:?}", shape.name);
    }
}

#[test]
fn nobody_hears_of_members_that_are_not_described() {
    let build = build();
    let contract = Contract { document: openapi(&ELSEWHERE, &build) };
    // These hold what is another's to describe.
    let open = ["Contract", "EventIn", "Handshake"];
    for shape in shapes::ALL.into_iter().filter(|shape| !open.contains(&shape.name)) {
        let mut more = (shape.example)(&build);
        more["of_nobody"] = serde_json::json!(1);
        let schema = (shape.schema)(&build);
        assert!(!contract.validator(&schema).is_valid(&more), "{} takes anything", shape.name);
    }
}
