/** Lines of logs as their servers write them, and lines that do not fit. */
import t, { type Test } from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { csvToJson } from '../../src/encode/csv/index.ts'
import { concatenated, firehose, lines, multiline } from '../../src/index.ts'
import type { Splitter } from '../../src/split/splitter.ts'
import {
  accessLog,
  cloudFrontLog,
  loadBalancerLog,
  singleLine,
  syslog,
  vpcFlowLog,
  w3cLog,
} from '../../src/transform/blueprints/index.ts'
import type { RecordFunction } from '../../src/transform/view.ts'
import { conserves } from '../support/conservation.ts'

/** What a function makes of lines, and why some fail. */
async function made(t: Test, transform: RecordFunction | undefined, text: string, split: Splitter = lines()) {
  const [to, backup] = [memory(), memory()]
  const hose = firehose({ split, transform, encode: concatenated(), to, backup })
  // In pieces, as they may come.
  for (let at = 0; at < text.length; at += 1_000) hose.write(text.slice(at, at + 1_000))
  await new Promise<void>((resolve, reject) => {
    hose.on('error', reject)
    hose.end(resolve)
  })
  conserves(t, hose.stats())
  return {
    rows: to
      .records()
      .map((record) =>
        transform === undefined || record[0] !== 0x7b ? record.toString() : JSON.parse(record.toString()),
      ),
    failed: backup.json().map((row) => `${Object(row).errorCode} ${Object(row).errorMessage}`),
    dropped: hose.stats().dropped,
  }
}

const apache = String.raw`127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"
::1 - - [30/Nov/2026:09:00:00 +0000] "POST /a?b=\"c\" HTTP/1.1" 304 - "-" "curl/8.5.0 \xc3\xa4\t"
10.1.2.3 id some body [01/Jan/2024:00:00:00 +0530] "-" 408 0 "-" "-"`

t.test('access logs of Apache and nginx', async (t) => {
  const { rows, failed } = await made(t, accessLog(), apache)
  t.same(failed, [])
  t.same(rows, [
    {
      host: '127.0.0.1',
      ident: null,
      authuser: 'frank',
      datetime: '10/Oct/2000:13:55:36 -0700',
      timestamp: '2000-10-10T20:55:36Z',
      request: 'GET /apache_pb.gif HTTP/1.0',
      response: 200,
      bytes: 2326,
      referrer: 'http://www.example.com/start.html',
      agent: 'Mozilla/4.08 [en] (Win98; I ;Nav)',
    },
    {
      host: '::1',
      ident: null,
      authuser: null,
      datetime: '30/Nov/2026:09:00:00 +0000',
      timestamp: '2026-11-30T09:00:00Z',
      request: 'POST /a?b="c" HTTP/1.1',
      response: 304,
      bytes: null,
      referrer: null,
      agent: 'curl/8.5.0 ä\t',
    },
    {
      host: '10.1.2.3',
      ident: 'id',
      authuser: 'some body',
      datetime: '01/Jan/2024:00:00:00 +0530',
      timestamp: '2023-12-31T18:30:00Z',
      request: '-',
      response: 408,
      bytes: 0,
      referrer: null,
      agent: null,
    },
  ])
  const common = '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 23'
  t.match((await made(t, accessLog({ format: 'common' }), common)).rows, [{ request: 'GET / HTTP/1.0', bytes: 23 }])
  const nginx = `${common} "-" "wget" "10.0.0.1, 10.0.0.2" 0.003`
  t.match((await made(t, accessLog({ more: ['forwardedFor', 'time'] }), nginx)).rows, [
    { agent: 'wget', forwardedFor: '10.0.0.1, 10.0.0.2', time: '0.003' },
  ])
  const bad = [
    common,
    `${common} "-" "a" x`,
    'hello',
    apache.replace('13:55:36', '13:65:36').split('\n')[0],
    common.replace('" 200', '" OK'),
    common.replace('" 200', ' 200'),
  ]
  t.same((await made(t, accessLog(), bad.join('\n'))).failed, [
    'Transform.Malformed the line is no access log of the combined format: at column 67 there should be a blank before the referrer',
    'Transform.Malformed the line is no access log of the combined format: at column 75 there should be the end',
    'Transform.Malformed the line is no access log of the combined format: at column 6 there should be a blank',
    'Transform.Malformed the line is no access log of the combined format: at column 20 there should be a time such as 10/Oct/2000:13:55:36 -0700',
    'Transform.Malformed the line is no access log of the combined format: at column 61 there should be the status of the answer',
    'Transform.Malformed the line is no access log of the combined format: at column 44 there should be the request in quotes, and " at its end',
  ])
  t.throws(() => accessLog(Object({ format: 'combinde' })), /format/)
})

t.test('syslog of RFC 3164 and 5424', async (t) => {
  const text = String.raw`<34>Oct 11 22:14:15 mymachine su[230]: 'su root' failed for lonvick on /dev/pts/8
Nov  1 09:00:00 host systemd[1]: Started x.
<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!
2026-11-30T09:00:00.123456+01:00 host CRON[77]: (root) CMD (x)
<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Appli\"ca\]tion" eventID="1011"][b x="1" x="2"] ${'\ufeff'}An application event
<34>1 2003-08-24T05:14:15.000003-07:00 - su 1 - -`
  const { rows, failed } = await made(t, syslog(), text)
  t.same(failed, [])
  t.same(rows, [
    {
      facility: 4,
      severity: 2,
      timestamp: 'Oct 11 22:14:15',
      hostname: 'mymachine',
      program: 'su',
      processid: 230,
      message: "'su root' failed for lonvick on /dev/pts/8",
    },
    { timestamp: 'Nov  1 09:00:00', hostname: 'host', program: 'systemd', processid: 1, message: 'Started x.' },
    {
      facility: 1,
      severity: 5,
      timestamp: 'Feb  5 17:32:18',
      hostname: '10.0.0.99',
      program: null,
      processid: null,
      message: 'Use the BFG!',
    },
    {
      timestamp: '2026-11-30T09:00:00.123456+01:00',
      hostname: 'host',
      program: 'CRON',
      processid: 77,
      message: '(root) CMD (x)',
    },
    {
      facility: 20,
      severity: 5,
      version: 1,
      timestamp: '2003-10-11T22:14:15.003Z',
      hostname: 'mymachine.example.com',
      appName: 'evntslog',
      procId: null,
      msgId: 'ID47',
      structuredData: {
        'exampleSDID@32473': { iut: '3', eventSource: 'Appli"ca]tion', eventID: '1011' },
        b: { x: ['1', '2'] },
      },
      message: 'An application event',
    },
    {
      facility: 4,
      severity: 2,
      version: 1,
      timestamp: '2003-08-24T05:14:15.000003-07:00',
      hostname: null,
      appName: 'su',
      procId: '1',
      msgId: null,
      structuredData: {},
      message: null,
    },
  ])
  const bad = [
    '<192>Oct 11 22:14:15 a b: c',
    'no time',
    '<34>1 yesterday a b c d -',
    '<34>1 - a b c d [x y="z]',
    '<34>1 - a b c d [x y=z]',
    '<34>1 - a b c d',
  ]
  t.same((await made(t, syslog(), bad.join('\n'))).failed, [
    'Transform.Malformed the line is no message of syslog: at column 2 there should be a priority up to 191',
    'Transform.Malformed the line is no message of syslog: at column 1 there should be a time such as Oct 11 22:14:15',
    'Transform.Malformed the line is no message of syslog: at column 7 there should be a time of RFC 3339, or -',
    'Transform.Malformed the line is no message of syslog: at column 23 there should be the value of a parameter, and a quote',
    'Transform.Malformed the line is no message of syslog: at column 20 there should be a parameter such as iut="3"',
    'Transform.Malformed the line is no message of syslog: at column 16 there should be a blank',
  ])
  t.match((await made(t, syslog({ format: 'rfc5424' }), 'Oct 11 22:14:15 a b: c')).failed, [/RFC 5424: at column 1/])
  t.match((await made(t, syslog({ format: 'rfc3164' }), '<1>1 - a b c d -')).failed, [/RFC 3164: at column 4/])
})

t.test('flow logs of VPCs, versions 2 to 5', async (t) => {
  const { rows, failed, dropped } = await made(
    t,
    vpcFlowLog(),
    `version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status
2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK
2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA
2 123456789010 eni-1235b8ca123456789 2001:db8:1234:a100:8d6e:3477:df66:f105 2001:db8::1 34892 22 x 54 8855 1477913708 1477913820 ACCEPT OK
2 123456789010`,
  )
  t.equal(dropped, 1)
  t.match(rows, [
    { version: 2, 'account-id': '123456789010', srcaddr: '172.31.16.139', dstport: 22, bytes: 4249, action: 'ACCEPT' },
    { srcaddr: null, bytes: null, end: 1431280934, 'log-status': 'NODATA' },
  ])
  t.same(failed, [
    'Transform.Malformed the line is no record of this flow log: at column 98 there should be protocol, a number or -',
    'Transform.Malformed the line is no record of this flow log: at column 15 there should be a blank before interface-id',
  ])
  // biome-ignore lint/suspicious/noTemplateCurlyInString: formats of flow logs have them.
  const format = '${version} ${vpc-id} ${tcp-flags} ${pkt-srcaddr} ${flow-direction} ${traffic-path}'
  const v5 = await made(
    t,
    vpcFlowLog({ format }),
    '5 vpc-abcdefab012345678 3 10.0.0.5 egress 8\n5 vpc-x 3 10.0.0.5 egress 8 9',
  )
  t.same(v5.rows, [
    {
      version: 5,
      'vpc-id': 'vpc-abcdefab012345678',
      'tcp-flags': 3,
      'pkt-srcaddr': '10.0.0.5',
      'flow-direction': 'egress',
      'traffic-path': 8,
    },
  ])
  t.match(v5.failed, [/at column 28 there should be the end/])
  t.throws(() => vpcFlowLog({ format: ['version', 'vpcid'] }), /a field that flow logs do not have: vpcid/)
})

t.test('logs of load balancers and of CloudFront, and those by the W3C', async (t) => {
  const alb =
    'https 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337281-1d84f3d73c47ec4e58577259" "www.example.com" "arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012" 1 2018-07-02T22:22:48.364000Z "authenticate,forward" "-" "-"'
  const balancer = await made(
    t,
    loadBalancerLog(),
    [alb, `${alb} "10.0.0.1:80" "200" "-" "-" TID_123 new`, alb.replace('0.086', 'x'), alb.slice(0, 100)].join('\n'),
  )
  t.match(balancer.rows, [
    {
      type: 'https',
      client: '192.168.131.39:2817',
      target_processing_time: 0.048,
      elb_status_code: 200,
      request: 'GET https://www.example.com:443/ HTTP/1.1',
      redirect_url: null,
    },
    {
      target_list: '10.0.0.1:80',
      target_status_code_list: '200',
      classification: null,
      conn_trace_id: 'TID_123',
      more: 'new',
    },
  ])
  t.match(balancer.failed, [
    /at column 104 there should be request_processing_time, a number or -/,
    /at column 101 there should be/,
  ])

  const cloudFront = `#Version: 1.0
#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status
2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.24\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200
2019-12-04\t21:02:31\tLAX1\t392`
  const edge = await made(t, cloudFrontLog(), cloudFront)
  t.equal(edge.dropped, 2)
  t.same(edge.rows, [
    {
      date: '2019-12-04',
      time: '21:02:31',
      'x-edge-location': 'LAX1',
      'sc-bytes': 392,
      'c-ip': '192.0.2.24',
      'cs-method': 'GET',
      'cs(Host)': 'd111111abcdef8.cloudfront.net',
      'cs-uri-stem': '/index.html',
      'sc-status': 200,
    },
  ])
  t.match(edge.failed, [/CloudFront: at column 29 there should be a field behind sc-bytes/])

  const iis = `#Software: Microsoft Internet Information Services 10.0
#Fields: date time s-ip cs-method cs-uri-stem s-port sc-status time-taken
2026-11-30 09:00:00 10.0.0.4 GET /a 443 200 15
2026-11-30 09:00:01 10.0.0.4 GET /b 443 200 15 extra
#Fields: date time cs-method
2026-11-30 09:00:02 POST`
  const server = await made(t, w3cLog(), iis)
  t.same(server.rows, [
    {
      date: '2026-11-30',
      time: '09:00:00',
      's-ip': '10.0.0.4',
      'cs-method': 'GET',
      'cs-uri-stem': '/a',
      's-port': 443,
      'sc-status': 200,
      'time-taken': 15,
    },
    { date: '2026-11-30', time: '09:00:02', 'cs-method': 'POST' },
  ])
  t.match(server.failed, [/at column 47 there should be the end/])
  t.match((await made(t, w3cLog(), 'a b')).failed, [/a line with #Fields: before it/])
  t.same((await made(t, w3cLog({ fields: ['a', 'b'] }), 'x 1.50')).rows, [{ a: 'x', b: 1.5 }])
})

t.test('records of several lines, made one', async (t) => {
  const text = `2026-11-30 first
  at a
\tat b
2026-11-30 second
2026-11-30 third
  at c
`
  const stack = multiline(/^\d{4}-\d\d-\d\d /)
  t.same((await made(t, undefined, `before\n${text}`, stack)).rows, [
    'before',
    '2026-11-30 first\n  at a\n\tat b',
    '2026-11-30 second',
    '2026-11-30 third\n  at c',
  ])
  t.same((await made(t, singleLine(), text, stack)).rows, [
    '2026-11-30 firstat aat b',
    '2026-11-30 second',
    '2026-11-30 thirdat c',
  ])
  const long = `2026-11-30 ${'x'.repeat(5_000)}\n2026-11-30 b`
  t.match(
    (await made(t, undefined, long, multiline(/\d{4}-/, { maxRecordBytes: 1_000, onTooLarge: 'backup' }))).failed,
    [/Split.RecordTooLarge/],
  )
  t.throws(() => multiline(Object('x')), /a regular expression/)
})

t.test('rows of CSV that are records', async (t) => {
  const csv = csvToJson({ columns: ['id', 'name'] })
  const { rows, failed } = await made(t, csv, '007,"Ada, Countess"\n1,2,3\n"open,1\n8,')
  t.same(rows, [
    { id: '007', name: 'Ada, Countess' },
    { id: '8', name: '' },
  ])
  t.match(failed, [/it has 3 fields, and there are 2 columns/, /no row of this CSV/])
  t.same(
    (await made(t, csvToJson({ columns: ['a', 'b'], delimiter: ';', quote: "'", trim: true }), " x ;'y;z'")).rows,
    [{ a: 'x', b: 'y;z' }],
  )
  t.throws(() => csvToJson({ columns: ['a', 'a'] }), /all different/)
})
