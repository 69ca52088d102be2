//! The macro behind every generated builder.
//!
//! A builder holds each required field in a type parameter of its own, which is [`Missing`] until the field is given.
//! `build` is there only where none is missing: an object that lacks something does not compile.

/// What a builder holds for a field that is not given yet.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Missing;

/// `Type::builder()` and the builder; `rest` are the fields that are not required.
macro_rules! builder {
    (
        $(#[$attr:meta])*
        $name:ident by $builder:ident {
            $($(#[$doc:meta])* $field:ident as $slot:ident: $kind:ty = $input:ty => $value:expr;)*
        }
        rest { $($rest:ident)* }
    ) => {
        #[doc = concat!("Makes a [`", stringify!($name), "`]: see [`", stringify!($name), "::builder`].")]
        #[derive(Clone)]
        #[must_use = "call `build` once all required fields are given"]
        pub struct $builder<$($slot = $crate::types::Missing,)*> {
            $($field: $slot,)*
        }

        impl $name {
            $(#[$attr])*
            pub fn builder() -> $builder {
                $builder { $($field: $crate::types::Missing,)* }
            }
        }

        impl<$($slot,)*> ::std::fmt::Debug for $builder<$($slot,)*> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($builder)).finish_non_exhaustive()
            }
        }

        impl $builder<$($kind,)*> {
            /// Makes it; what is not required is left out, and has a setter.
            #[must_use]
            pub fn build(self) -> $name {
                $name { $($field: self.$field,)* $($rest: ::std::default::Default::default(),)* }
            }
        }

        $crate::types::builder! {
            @setters $builder [] $($(#[$doc])* $field as $slot: $kind = $input => $value;)*
        }
    };
    (@setters $builder:ident [$($given:ident as $slot:ident)*]) => {};
    (
        @setters $builder:ident [$($before:ident as $before_slot:ident)*]
        $(#[$doc:meta])* $field:ident as $slot:ident: $kind:ty = $input:ty => $value:expr;
        $($(#[$docs:meta])* $after:ident as $after_slot:ident: $kinds:ty = $inputs:ty => $values:expr;)*
    ) => {
        impl<$($before_slot,)* $($after_slot,)*>
            $builder<$($before_slot,)* $crate::types::Missing, $($after_slot,)*>
        {
            $(#[$doc])*
            pub fn $field(self, $field: $input) -> $builder<$($before_slot,)* $kind, $($after_slot,)*> {
                $builder { $($before: self.$before,)* $field: $value, $($after: self.$after,)* }
            }
        }

        $crate::types::builder! {
            @setters $builder [$($before as $before_slot)* $field as $slot]
            $($(#[$docs])* $after as $after_slot: $kinds = $inputs => $values;)*
        }
    };
}

pub(crate) use builder;
