//! Facts without their places: a number that is the same for two that differ only in where things stand.

use std::fmt::Error;
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use serde::ser::{self, Serialize, Serializer};

use super::FileFacts;
use super::body::{Body, BodyKind};

impl FileFacts {
    /// What the file tells others, but for what its functions do and where things stand: its items and the
    /// values of its constants. Of two files with equal numbers one declares what the other does, as far as
    /// 64 bits can tell. None if the facts cannot be written, which plain data always can.
    pub fn declared(&self) -> Option<u64> {
        let is_constant = |body: &&Body| matches!(body.kind, BodyKind::Const(_));
        let constants: Vec<&Body> = self.bodies.iter().filter(is_constant).collect();
        let mut shape = Shape(FxHasher::default());
        (&self.scopes, &self.items, constants, self.cfg_test).serialize(&mut shape).ok()?;
        Some(shape.0.finish())
    }
}

/// Hashes what is written to it, in order, but for spans, and for which one of its file's bodies a body is.
struct Shape(FxHasher);

impl Shape {
    fn hash(&mut self, what: impl Hash) -> Result<(), Error> {
        what.hash(&mut self.0);
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }
}

macro_rules! hashed {
    ($($name:ident: $ty:ty),* $(,)?) => {$(
        fn $name(self, value: $ty) -> Result<(), Error> {
            self.hash(value)
        }
    )*};
}

impl<'s> Serializer for &'s mut Shape {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = &'s mut Shape;
    type SerializeTuple = &'s mut Shape;
    type SerializeTupleStruct = &'s mut Shape;
    type SerializeTupleVariant = &'s mut Shape;
    type SerializeMap = &'s mut Shape;
    type SerializeStruct = Fields<'s>;
    type SerializeStructVariant = Fields<'s>;

    hashed! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_char: char,
        serialize_str: &str, serialize_bytes: &[u8], serialize_unit_struct: &'static str,
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.hash(value.to_bits())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.hash(value.to_bits())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.hash(false)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.hash(true)?;
        self.value(value)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<(), Error> {
        self.hash(index)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Error> {
        // One closure more, and all later bodies have other numbers; nobody elsewhere knows them.
        if name == "BodyId" { Ok(()) } else { self.value(value) }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.hash(index)?;
        self.value(value)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<&'s mut Shape, Error> {
        self.hash(length)?;
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<&'s mut Shape, Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<&'s mut Shape, Error> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<&'s mut Shape, Error> {
        self.hash(index)?;
        Ok(self)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<&'s mut Shape, Error> {
        self.hash(length)?;
        Ok(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'s>, Error> {
        Ok(Fields { of: self, count: name != "Span" })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Fields<'s>, Error> {
        self.hash(index)?;
        Ok(Fields { of: self, count: true })
    }
}

/// The fields of a struct, which count or do not.
struct Fields<'s> {
    of: &'s mut Shape,
    count: bool,
}

macro_rules! elements {
    ($($name:ident, $method:ident);* $(;)?) => {$(
        impl ser::$name for &mut Shape {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.value(value)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq, serialize_element;
    SerializeTuple, serialize_element;
    SerializeTupleStruct, serialize_field;
    SerializeTupleVariant, serialize_field;
}

impl ser::SerializeMap for &mut Shape {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.value(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

macro_rules! fields {
    ($($name:ident),* $(,)?) => {$(
        impl ser::$name for Fields<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), Error> {
                if self.count { self.of.value(value) } else { Ok(()) }
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);
