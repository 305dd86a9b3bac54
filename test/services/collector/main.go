// The OpenTelemetry collector's Splunk HEC and OTLP receivers behind one small main; what they accept is appended to DIR/*.jsonl.
//
//	collector DIR HEC_ADDR HEC_NOACK_ADDR OTLP_ADDR TOKEN ACK_DELAY SPLITTING
//
// While DIR/fail exists the pipeline refuses everything, so that the receivers answer as they do when it is broken.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/ackextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/splunkhecreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
)

type (
	m    = map[string]any
	host map[component.ID]component.Component
)

func (h host) GetExtensions() map[component.ID]component.Component { return h }

func check[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return v
}

func config(cfg component.Config, values m) component.Config {
	check(0, confmap.NewFromStringMap(values).Unmarshal(cfg))
	return cfg
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	dir, token, ackDelay, splitting := os.Args[1], os.Args[5], os.Args[6], os.Args[7]
	telemetry := component.TelemetrySettings{
		Logger: check(zap.NewProduction()), TracerProvider: tracenoop.NewTracerProvider(),
		MeterProvider: metricnoop.NewMeterProvider(), Resource: pcommon.NewResource(),
	}

	var lock sync.Mutex
	write := func(name string, line []byte, err error) error {
		lock.Lock()
		defer lock.Unlock()
		if _, fail := os.Stat(filepath.Join(dir, "fail")); fail == nil {
			return errors.New("told to fail")
		}
		f := check(os.OpenFile(filepath.Join(dir, name+".jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644))
		defer f.Close()
		check(f.Write(append(line, '\n')))
		return err
	}
	logs := func(name string) consumer.Logs {
		return check(consumer.NewLogs(func(_ context.Context, d plog.Logs) error {
			b, err := (&plog.JSONMarshaler{}).MarshalLogs(d)
			return write(name, b, err)
		}))
	}
	traces := check(consumer.NewTraces(func(_ context.Context, d ptrace.Traces) error {
		b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(d)
		return write("traces", b, err)
	}))
	metrics := check(consumer.NewMetrics(func(_ context.Context, d pmetric.Metrics) error {
		b, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(d)
		return write("metrics", b, err)
	}))

	exts := host{}
	for f, values := range map[extension.Factory]m{
		ackextension.NewFactory():             {"delay": ackDelay},
		bearertokenauthextension.NewFactory(): {"scheme": "Splunk", "token": token},
	} {
		id := component.NewID(f.Type())
		exts[id] = check(f.Create(ctx, extension.Settings{ID: id, TelemetrySettings: telemetry}, config(f.CreateDefaultConfig(), values)))
		check(0, exts[id].Start(ctx, exts))
	}

	hec, otlp := splunkhecreceiver.NewFactory(), otlpreceiver.NewFactory()
	set := func(f receiver.Factory, name string) receiver.Settings {
		return receiver.Settings{ID: component.NewIDWithName(f.Type(), name), TelemetrySettings: telemetry}
	}
	hecConfig := m{"endpoint": os.Args[2], "auth": m{"authenticator": "bearertokenauth"}, "keep_alives_enabled": true, "splitting": splitting, "ack": m{"extension": "ack"}}
	withAck := config(hec.CreateDefaultConfig(), hecConfig)
	hecConfig["endpoint"] = os.Args[3]
	delete(hecConfig, "ack")
	noAck := config(hec.CreateDefaultConfig(), hecConfig)
	otlpConfig := config(otlp.CreateDefaultConfig(), m{"protocols": m{"http": m{"endpoint": os.Args[4]}}})
	for _, c := range []component.Component{
		check(hec.CreateLogs(ctx, set(hec, ""), withAck, logs("hec"))),
		check(hec.CreateLogs(ctx, set(hec, "noack"), noAck, logs("hec-noack"))),
		check(otlp.CreateLogs(ctx, set(otlp, ""), otlpConfig, logs("logs"))),
		check(otlp.CreateTraces(ctx, set(otlp, ""), otlpConfig, traces)),
		check(otlp.CreateMetrics(ctx, set(otlp, ""), otlpConfig, metrics)),
	} {
		check(0, c.Start(ctx, exts))
		defer c.Shutdown(context.Background())
	}
	<-ctx.Done()
}
