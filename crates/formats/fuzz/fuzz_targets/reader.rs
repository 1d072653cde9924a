//! What every target shares: read the bytes as one format; whatever comes out is JSON.
use std::ops::ControlFlow;

pub fn run(format: formats::Format, data: &[u8], mapping: Option<&formats::Mapping>) {
    let ids = formats::KeyedIds::new([7; 32]);
    let mut options = formats::Options::new("fuzz", &ids);
    options.mapping = mapping;
    options.limits.max_object_bytes = 1 << 16;
    options.limits.max_input_bytes = 1 << 22;
    let _any = formats::read(format, Box::new(data), &options, &mut |item| {
        if let formats::Item::Object(record) = item {
            assert!(record.body.starts_with('{') && record.id.contains("--"));
        }
        ControlFlow::Continue(())
    });
}
