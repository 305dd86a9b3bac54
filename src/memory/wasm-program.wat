;; What is done to every record of a chunk, in memory that this module shares with whoever reads files into it; wasm-memory.ts says how
;; that is laid out.
(module
  (import "env" "memory" (memory 1))

  ;; Finds newlines 64 bytes at a time. Writes their places from $from up to $end, as distances from $base, from $to on; returns the
  ;; address behind the last. Stops behind a block that has brought it past $full. May look at 63 bytes behind the end.
  ;;
  ;; Beside that it writes, to addresses 0, 4 and 8: where it has stopped; whether a carriage return stands before one of the newlines;
  ;; whether two of them stand side by side, or one stands at the base.
  (func (export "find") (param $from i32) (param $end i32) (param $base i32) (param $to i32) (param $full i32) (result i32)
    (local $at i32) (local $block i32) (local $place i32)
    (local $newline v128)
    (local $found i64) (local $carry i64) (local $empty i64) (local $returns i32)
    (local.set $at (local.get $from))
    (local.set $newline (i8x16.splat (i32.const 10)))
    ;; Whether a line has ended just before: at the base one has.
    (local.set $carry
      (if (result i64) (i32.eq (local.get $from) (local.get $base))
        (then (i64.const 1))
        (else (i64.extend_i32_u (i32.eq (i32.load8_u (i32.sub (local.get $from) (i32.const 1))) (i32.const 10))))))
    (block $done
      (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
      (loop $blocks
        ;; A bit for each byte: whether it is a newline.
        (local.set $found
          (i64.or
            (i64.or
              (i64.extend_i32_u
                (i8x16.bitmask (i8x16.eq (v128.load (local.get $at)) (local.get $newline))))
              (i64.shl
                (i64.extend_i32_u
                  (i8x16.bitmask (i8x16.eq (v128.load offset=16 (local.get $at)) (local.get $newline))))
                (i64.const 16)))
            (i64.or
              (i64.shl
                (i64.extend_i32_u
                  (i8x16.bitmask (i8x16.eq (v128.load offset=32 (local.get $at)) (local.get $newline))))
                (i64.const 32))
              (i64.shl
                (i64.extend_i32_u
                  (i8x16.bitmask (i8x16.eq (v128.load offset=48 (local.get $at)) (local.get $newline))))
                (i64.const 48)))))
        (local.set $block (local.get $at))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (if (i64.eqz (local.get $found))
          (then
            (local.set $carry (i64.const 0))
            (br_if $blocks (i32.lt_u (local.get $at) (local.get $end)))
            (br $done)))
        ;; What lies behind the end is somebody else's.
        (if (i32.gt_u (local.get $at) (local.get $end))
          (then
            (local.set $found
              (i64.and
                (local.get $found)
                (i64.sub
                  (i64.shl (i64.const 1) (i64.extend_i32_u (i32.sub (local.get $end) (local.get $block))))
                  (i64.const 1))))
            (br_if $done (i64.eqz (local.get $found)))))
        (local.set $empty
          (i64.or
            (local.get $empty)
            (i64.and
              (local.get $found)
              (i64.or (i64.shl (local.get $found) (i64.const 1)) (local.get $carry)))))
        (local.set $carry (i64.shr_u (local.get $found) (i64.const 63)))
        (loop $bits
          (local.set $place (i32.add (local.get $block) (i32.wrap_i64 (i64.ctz (local.get $found)))))
          (i32.store (local.get $to) (i32.sub (local.get $place) (local.get $base)))
          (local.set $returns
            (i32.or
              (local.get $returns)
              (i32.and
                (i32.gt_u (local.get $place) (local.get $base))
                (i32.eq (i32.load8_u (i32.sub (local.get $place) (i32.const 1))) (i32.const 13)))))
          (local.set $to (i32.add (local.get $to) (i32.const 4)))
          (local.set $found (i64.and (local.get $found) (i64.sub (local.get $found) (i64.const 1))))
          (br_if $bits (i64.ne (local.get $found) (i64.const 0))))
        (br_if $done (i32.gt_u (local.get $to) (local.get $full)))
        (br_if $blocks (i32.lt_u (local.get $at) (local.get $end)))))
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $returns))
    (i32.store (i32.const 8) (i64.ne (local.get $empty) (i64.const 0)))
    (local.get $to))

  ;; Copies pieces of memory one behind another to $to, as long as they take no more than $limit bytes. The starts of the pieces, as
  ;; distances from $base, are the numbers from $starts on, up to $end; their sizes, none of which is 0, are those from $sizes on.
  ;; Returns where the start stands of the piece at which it has stopped, and writes to address 0 how many bytes it has copied.
  (func (export "gather")
    (param $starts i32) (param $sizes i32) (param $end i32) (param $base i32) (param $to i32) (param $limit i32)
    (result i32)
    (local $target i32) (local $from i32) (local $size i32) (local $last i32) (local $shift i32)
    (local.set $target (local.get $to))
    (block $done
      (loop $pieces
        (br_if $done (i32.ge_u (local.get $starts) (local.get $end)))
        (local.set $size (i32.load (local.get $sizes)))
        (br_if $done (i32.gt_u (local.get $size) (local.get $limit)))
        (local.set $limit (i32.sub (local.get $limit) (local.get $size)))
        (local.set $from (i32.add (local.get $base) (i32.load (local.get $starts))))
        (local.set $shift (i32.sub (local.get $to) (local.get $from)))
        (if (i32.gt_u (local.get $size) (i32.const 512))
          (then (memory.copy (local.get $to) (local.get $from) (local.get $size)))
          (else
            (if (i32.ge_u (local.get $size) (i32.const 16))
              (then
                ;; The last 16 bytes may overlap those before: nothing is written behind the piece.
                (local.set $last (i32.sub (local.get $size) (i32.const 16)))
                (v128.store
                  (i32.add (local.get $to) (local.get $last))
                  (v128.load (i32.add (local.get $from) (local.get $last))))
                (local.set $last (i32.add (local.get $from) (local.get $last)))
                (block $copied
                  (br_if $copied (i32.ge_u (local.get $from) (local.get $last)))
                  (loop $words
                    (v128.store (i32.add (local.get $from) (local.get $shift)) (v128.load (local.get $from)))
                    (local.set $from (i32.add (local.get $from) (i32.const 16)))
                    (br_if $words (i32.lt_u (local.get $from) (local.get $last))))))
              (else
                (local.set $last (i32.add (local.get $from) (local.get $size)))
                (loop $bytes
                  (i32.store8 (i32.add (local.get $from) (local.get $shift)) (i32.load8_u (local.get $from)))
                  (local.set $from (i32.add (local.get $from) (i32.const 1)))
                  (br_if $bytes (i32.lt_u (local.get $from) (local.get $last))))))))
        (local.set $to (i32.add (local.get $to) (local.get $size)))
        (local.set $starts (i32.add (local.get $starts) (i32.const 4)))
        (local.set $sizes (i32.add (local.get $sizes) (i32.const 4)))
        (br $pieces)))
    (i32.store (i32.const 0) (i32.sub (local.get $to) (local.get $target)))
    (local.get $starts)))
