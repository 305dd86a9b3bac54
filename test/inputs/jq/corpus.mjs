// Filters and inputs. `node corpus.mjs` asks the jq 1.6 that is installed, and writes what it answers to answers.json.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

export const inputs = [
  null,
  true,
  false,
  0,
  -1.5,
  1425599621,
  1425599621.678,
  1e10,
  '',
  'abc',
  'aéb🎈',
  '12',
  ' 7.50 ',
  '2015-03-05T23:51:47Z',
  '2015-03-05',
  'a,b,,c',
  'YWJj',
  'foo bar foo',
  [],
  [1, 2, 3],
  [3, 'a', null, true, { b: 1 }, [2]],
  ['a', 'b', 'a'],
  [[1, 2], [3]],
  [{ a: 1, b: 2 }, { a: 1, b: 1 }, { a: 0 }],
  [2015, 2, 5, 23, 51, 47, 4, 63],
  {},
  { a: 1 },
  { a: { b: { c: 'deep' } }, x: [1, 2] },
  { a: null, b: false, c: '', d: 0 },
  { 'a b': 1, if: 2, ä: 3 },
  {
    customer_id: 'c-17',
    type: { device: 'Mobile' },
    event_timestamp: 1565382027,
    ts: '2019-08-09T20:20:27Z',
    tags: ['red', 'blue'],
    amount: 12.5,
    user: { name: 'Ann Lee', email: 'ann@example.com' },
    items: [
      { sku: 'x1', n: 2 },
      { sku: 'y2', n: 1 },
    ],
  },
]

export const filters = String.raw`
.
.a
.a.b
.a.b.c
.a?
.a?.b?
.["a"]
.["a","b"]
."a b"
."ä"?
.if?
.[0]
.[-1]
.[1]?
.[1.5]?
.[10]?
.[1:]
.[:2]
.[-2:]
.[:-1]
.[1:2]?
.[]
.[]?
.[][]?
[.[]?]
[.[]?.a?]
.a[]?
.[null]?
.[[1]]?
.a.b.c?
.x[1]?
.x[1:]?
(.a?).b?
.user.name
.user?.name?
.customer_id
.items[0].sku?
[.items[]?.sku]
.items[]?|.n
.customer_id?//"none"
.customer_id? // "none"
.a//"x"
.a?//"x"
.a? // "x"
.b?//.a?//0
.b? // .a? // 0
(.a,.b)?//3
(.a,.b)? // 3
[.[]?]//1
[.a?,.b?]
.,1
1,2,3
(1,2)+(10,20)
[(1,2)*(3,4)]
.a?,.b?
.|.
.a?|type
{a:.a?}
{a}
{a,b}?
{"a":1,b:2,"c d":3}
{customer:.customer_id,day:(.event_timestamp|strftime("%Y-%m-%d"))}
{customer_id:.customer_id,device:.type.device,year:(.event_timestamp|strftime("%Y"))}
{customer_id:.customer_id?,device:.type?.device?,year:(.event_timestamp?|strftime("%Y"))}
{(.customer_id?//"none"):1}
{(.customer_id? // "none"):1}
{("a","b"):(1,2)}
{a:(1,2),b:(3,4)}
{a:1|2}
{a:-1}
{"x\(1)":.}
{@base64 "x":1}
{if:1,then:2,and:3}
{a:.a?,n:[.[]?]|length}
{}
[]
[1,"a",null,true,false,[],{}]
"plain"
"a\tb\"\\\/\u00e9\ud83c\udf88"
"\(.)"
"a\(1+1)b\("c")d"
"\(.a?)-\(.b?)"
"\(1,2) \(3,4)"
"\([.[]?]|length) parts"
@text
@json
@html
@uri
@csv?
@tsv?
@sh?
@base64
strings|@base64d?
@base64 "x\(.)y"
@uri "?q=\(.)"
@json "v=\(.)"
@html "<b>\(.)</b>"
@csv "\([.[]?|strings])"
@sh "echo \("it's")"
1.5
.5
1e3
100000000000000000000
1e-7
0.00012
123456789012345678
-0
3.0
1+2*3
(1+2)*3
7-2-1
8/2/2
7%4
-7%4
7%-4
5.9%2.9
1/3
0.1+0.2
-1+2
1 - -1
2 * -1
-(1,2)
-.
.+1
.+null
null+.
.+"x"
.-1
.+.
.-.
.*2
2*.
if type=="number" and . < 10 then .*"ab" else 3*"ab" end
.*.
./2
./.
./","
.%2
.%3?
(.a?)+1
(.a?)*2
1==1.0
.==.
.==null
.!=null
.=="abc"
.<"b"
.>0
.<=1
.>=[1]
[.]<[[]]
.<{}
.a?==1
(.a?,1)==1
{a:1}=={a:1.0}
[1,2]<[1,3]
"a"<"B"
"é"<"z"
"🎈">"￿"
{"a":2}<{"b":1}
nan==nan
nan<nan
[nan]==[nan]
[nan]|sort
nan<1
.and true
. and true
.or false
. or false
(true,false)and(true,false)
(true,false)or(true,false)
false and error("x")
true or error("x")
.a?and.b?
not
.a?|not
(.a?//false)|not
(.a? // false)|not
true,false|not
if . then 1 else 2 end
if .a? then "a" elif .b? then "b" else "c" end
if (true,false,null) then 1 else (2,3) end
if .==null then "null" elif type=="number" then .+1 else . end
length
[.[]?|length?]
utf8bytelength?
type
[.[]?|type]
keys
keys?
keys_unsorted?
to_entries
to_entries?|length
has("a")
has("a")?
has(0)?
has(-1)?
[has(0,1)?]
"a"|in({"a":1})
1|in([1])
.[]?|select(.a?)
[.[]?|select(type=="number")]
[.[]?|select(.>1)]
select(.)
select(.a?==1)|.a
select((true,true))
[.[]?|select((.a?//0)>0)]
[.[]?|select((.a? // 0)>0)]
map(.)
map(.)?
map(.+1)?
map(select(.!=null))?
map(.a?)?
map((.,.))?|length
[.[]?|tostring]
tostring
tojson
tojson|fromjson
[.[]?|tojson]
fromjson?
"[1,{\"a\":2}]"|fromjson
"{\"a\":1,\"a\":2}"|fromjson
" 1.50 "|fromjson
"01"|fromjson
tonumber?
[.[]?|tonumber?]
"1e1000"|tonumber
"+5"|tonumber
".5"|tonumber
"5."|tonumber
"-"|tonumber
"0x10"|tonumber
"1 2"|tonumber
ascii_downcase?
ascii_upcase?
"ÄB"|ascii_downcase
explode?
explode?|implode
[97,233,127880]|implode
ltrimstr("a")
rtrimstr("c")
ltrimstr("abc")
ltrimstr(1)
startswith("a")
startswith("a")?
endswith("c")?
startswith(1)?
endswith("")?
split(",")?
split("")?
split(", ")?
split("o";null)?
split("o+";"g")?
split("[, ]+";"g")?
join(",")
join(",")?
join("")?
join(null)?
join(1)?
[.[]?|tostring]|join("-")
join("a","b")?
test("a")?
test("^a")?
test("c$")?
test("B";"i")?
test("a.b")?
test("\\d")?
test("\\d+-\\d+")?
test("\\w+\\s\\w+")?
test("[a-c]{2,}")?
test("[^a-z]")?
test("[[:alpha:]]")?
test("(?<x>a)(?:b)")?
test("a|b")?
test("é")?
test("\\bbar\\b")?
test("\\Aabc\\z")?
test("a b";"x")?
test("(?i)ABC")?
test("[\\d,]")?
"a\n"|test("a$")
"b\na"|test("^a")
"a\nb"|test("a.b")
"a-b"|test("[a\\-z]-")
"x.y"|test("x\\.y")
"١"|test("\\d")
"é"|test("\\w")
"a]b"|test("a]b")
"a{b"|test("a\\{b")
sub("a";"x")?
sub("o";"0";"g")?
gsub("o";"0")?
gsub("[aeiou]";"*")?
gsub("(?<v>[aeiou])";"<\(.v)>")?
sub("(?<a>f)(?<b>z)?";"\(.a)-\(.b)")?
sub("^";"> ")?
sub("$";"!")?
gsub("\\s";"")?
gsub("\\s+$";"")?
sub("(?<x>.)(?<y>.)";"\(.y)\(.x)")?
[splits(", *")]?
[splits("[^a-z]")]?
index(",")?
index("b")?
rindex("a")?
indices("a")?
indices(1)?
indices([1,2])?
[1,2,1,2]|indices([1,2])
"a,b, cd"|indices(", ")
"aéb"|index("b")
add
add?
any?
all?
any(.>1)?
all(.>1)?
any(.[]?;.==1)
all(.[]?;.==1)
flatten?
flatten(1)?
[1,[2,[3,[4]]]]|flatten(2)
first?
last?
nth(1)?
first(.[]?)
first(empty)
[first(range(5))]
[range(4)]
[range(2,3)]
reverse?
sort?
sort_by(.a?)?
sort_by(-.)?
[3,1,2]|sort
[{"a":2},{"a":1}]|sort_by(.a)
[{"a":1,"b":2},{"a":1,"b":1}]|sort_by(.a,.b)
[null,true,false,0,-1,"b","a",[1],[],{"a":1},{}]|sort
group_by(.a?)?
group_by(.a)?|length
unique?
unique_by(.a?)?
unique_by(length?)?
min?
max?
min_by(.a?)?
max_by(.a?)?
[{"a":1,"b":1},{"a":1,"b":2}]|min_by(.a),max_by(.a)
floor?
ceil?
round?
sqrt?
fabs?
trunc?
[1.5,2.5,-1.5,-2.5]|map(round)
[1.5,-1.5]|map(floor,ceil,trunc)
contains("b")?
contains(["a"])?
contains({a:1})?
contains([1])?
[1,[2]]|contains([[2]])
{"a":{"b":"xyz"},"c":1}|contains({a:{b:"y"}})
["foobar"]|contains(["bar"])
inside([1,2,3])?
inside("xabcx")?
values
[.[]?|values]
[.[]?|nulls]
[.[]?|numbers,strings]
[.[]?|booleans]
[.[]?|arrays,objects]
[.[]?|scalars]
[.[]?|iterables]
empty
[empty]
1,empty,2
error
error("x")
error(.)?
try error("x") catch .
try error({"a":1}) catch .a
try (1,error("x"),3) catch "c"
[.[]?|try tonumber catch "no"]
try .a catch "no a"
try error("\(.)") catch .
(1?)|error("x")
[(1,2)?|if .==1 then error("x") else . end]
.a?|tonumber?
[.[]?|tonumber?]|add
(error("x"))?//1
(error("x"))? // 1
1//error("x")
(empty//2)
(false,null)//3
(null,1,false,2)//3
first(.[]?)//"none"
gmtime?
gmtime?|mktime
mktime?
todate?
fromdate?
1425599621|todate
1425599621.9|todate
-1|todate
"2015-03-05T23:51:47Z"|fromdate
strftime("%Y-%m-%d")?
strftime("%Y-%m-%dT%H:%M:%SZ")?
strftime("%A %a %B %b %C %d %D %e %F %g %G %h %H %I %j %k %l %m %M %n %p %P %r %R %S %t %T %u %U %V %w %W %x %X %y %Y %z %Z %%")?
strftime("%c")?
strftime("%s")?
0,86400,1451606400,1483228800,1230768000,253402300799|strftime("%G-W%V-%u %U %W %j %I %l")
strptime("%Y-%m-%dT%H:%M:%SZ")?
strptime("%Y-%m-%d")?
strptime("%Y-%m-%d")?|mktime
"05/Mar/2015:10:11:12 +0100"|strptime("%d/%b/%Y:%H:%M:%S %z")
"05/Mar/2015:10:11:12 +0100"|strptime("%d/%b/%Y:%H:%M:%S %z")|mktime
"10:11"|strptime("%H:%M")
"2015 064"|strptime("%Y %j")
"12:30 AM"|strptime("%I:%M %p")
"PM 12"|strptime("%p %I")
"15-3-5"|strptime("%y-%m-%d")
"2015-02-31"|strptime("%Y-%m-%d")
"Thursday, March 5 2015"|strptime("%A, %B %d %Y")
"mon 5 mar 2015"|strptime("%a %e %b %Y")
"20150305T101112"|strptime("%Y%m%dT%H%M%S")
"2015-03-05 x"|strptime("%Y-%m-%d")
"2015"|strptime("%Y ")
"  5"|strptime("%H")
"39"|strptime("%d")
"99"|strptime("%H")
"2015-03-05T10:00:00 CET"|strptime("%FT%T %Z")|mktime
"100%"|strptime("%j%%")
"03/05/15"|strptime("%D")
"may"|strptime("%b")
"10"|strptime("%M%n")
.ts?|fromdate?|strftime("%Y/%m/%d/%H")
.ts[0:10]?
.ts?|split("T")?|.[0]
.event_timestamp?|todate?|.[0:7]
.user.email?|split("@")?|.[1]
.tags|join("|")
[.items[]?|.n]|add
.items|map(.n)|add
.items|sort_by(.n)|.[0].sku
{skus:[.items[]?.sku]|join(",")}
.amount|floor|tostring
.amount|if .>10 then "high" else "low" end
.user.name|ascii_downcase|gsub("[^a-z]+";"-")
.type.device|ascii_upcase
"\(.customer_id)/\(.type.device)"
.customer_id|ltrimstr("c-")|tonumber
.customer_id|test("^c-[0-9]+$")
.customer_id|split("-")|last
.tags[0]//"untagged"
.nothing//"none"
.nothing.at.all
[.tags[]|select(startswith("r"))]|length
has("tags")and(.tags|length)>1
[.[]|numbers]|add
@base64 "\(.customer_id):\(.amount)"|@base64d
[.user|.name,.email]|@csv
[.user|to_entries[]?|"\(.key)=\(.value)"]|join("&")
{id:.customer_id,hour:(.ts|fromdate|strftime("%H"))}
{k:(.customer_id|@base64)}
{k:.tags[]}
.. |1
.a as $x|$x
reduce .[]? as $x(0;.+1)
def f:1;f
.a=1
.a|=2
limit(1;.[]?)
inputs_are_not_here
ascii
paths
getpath(["a"])
{a:1+2}
.a.[0]
if . then 1 end
1 < 2 < 3
.a.
{a:
"abc
@nope
.[
(1
foo
{-1:2}
. # a comment
`
  .split('\n')
  .filter((line) => line !== '')

if (process.argv[1] === import.meta.filename) {
  const text = inputs.map((input) => JSON.stringify(input)).join('\n')
  const answers = Object.fromEntries(filters.map((filter) => [filter, ask(filter, text)]))
  writeFileSync(new URL('answers.json', import.meta.url), `${JSON.stringify(answers, undefined, 1)}\n`)
}

/** The results for each input, `"error"` for an error, or `"refused"` for what is no query. */
function ask(filter, text) {
  const query = `try {ok: [${filter}\n]} catch "error"`
  const { status, stdout } = spawnSync('jq', ['-c', query], { input: text, encoding: 'utf8', env: { PATH: process.env.PATH, TZ: 'UTC' } })
  if (status === 3) return 'refused'
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.length === inputs.length ? lines : `ended with ${status} after ${lines.length}`
}
