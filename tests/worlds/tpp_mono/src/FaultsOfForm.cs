// Violations of the page: the form of the answers, the media types, and the lists that are refused.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using Newtonsoft.Json.Linq;
using TPP.Contracts.Services.Order;

namespace TppMono
{
    static partial class Faults
    {
        // ---- The list of results ----

        static IEnumerable<Mode> ResultLists()
        {
            yield return New("result-missing", "plain", "P10", "the last result is left out", "a list of one", b => b.AllJudged = call => Drop(call, call.Results.Count - 1));
            yield return New("only-failures", "plain", "P10", "only failed results are given", "cancel an open order", b => b.AllJudged = call => call.Results.RemoveAll(r => r.Success));
            yield return New("only-successes", "plain", "P10", "only successful results are given", "name an unknown order", b => b.AllJudged = call => call.Results.RemoveAll(r => !r.Success));
            yield return New("ten-results-at-most", "subtle", "P10", "there are never more than ten results", "a list of eleven", b => b.AllJudged = call => Drop(call, 10));
            yield return New("hundred-results-at-most", "subtle", "P10", "there are never more than 100 results", "a list of 101", b => b.AllJudged = call => Drop(call, 100));
            yield return New("long-answers-cut", "subtle", "P15", "an answer ends after 8,000 characters", "a list of 100", b => b.Text = (call, text) => text.Length > 8000 ? text.Remove(8000) : text);
            yield return New("duplicates-merged", "subtle", "P10", "an order that a list names twice has one result", "name one order twice in a list",
                b => b.AllJudged = call => call.Results = call.Results.GroupBy(r => Tuple.Create(r.OrderID, r.InternationalOrderUID)).Select(g => g.First()).ToList());
            yield return New("stops-at-failure", "subtle", "P10", "the list ends with the first failure", "a list of an unknown and an open order", b => b.AllJudged = StopAtFailure);
            yield return New("ids-missing", "plain", "P11", "no result carries an id", "any request", b => b.Judged = t => { t.Result.OrderID = null; t.Result.InternationalOrderUID = null; });
            yield return New("id-missing-on-failure", "subtle", "P12", "a failed result lacks its InternationalOrderUID", "name an unknown international order",
                b => b.Judged = t => { if (!t.Result.Success) t.Result.InternationalOrderUID = null; });
            yield return New("ids-swapped", "subtle", "P11", "if the first two results differ in success, they carry each other's ids", "a list of an open and an unknown order", b => b.AllJudged = SwapIds);
            yield return New("third-repeats-second", "subtle", "P11", "the third result carries the id of the second", "a list of three",
                b => b.AllJudged = call => { if (call.Results.Count > 2) { call.Results[2].OrderID = call.Results[1].OrderID; call.Results[2].InternationalOrderUID = call.Results[1].InternationalOrderUID; } });
            yield return New("outcomes-reversed", "subtle", "P13", "the ids keep their order and the outcomes are reversed", "a list of an open and an unknown order", b => b.AllJudged = ReverseOutcomes);
            yield return New("no-errors-on-failure", "plain", "P14", "a failed result has no errors", "name an unknown order", b => b.Judged = t => t.Result.Errors = null);
            yield return New("empty-errors-on-failure", "subtle", "P14", "a failed result has an empty list of errors", "name an unknown order", b => b.Judged = t => { if (!t.Result.Success) t.Result.Errors = new List<string>(); });
            yield return New("null-in-errors", "subtle", "P14", "the list of errors holds a null", "name an unknown order", b => b.Judged = t => { if (!t.Result.Success) t.Result.Errors = new List<string> { null }; });
            yield return New("empty-text-in-errors", "subtle", "P14", "the error is an empty string", "name an unknown order", b => b.Judged = t => { if (!t.Result.Success) t.Result.Errors = new List<string> { "" }; });
            yield return New("errors-on-success", "plain", "P14", "a successful result has an error", "cancel an open order", b => b.Judged = t => { if (t.Result.Success) t.Result.Errors = new List<string> { "OK" }; });
            yield return New("pin-in-errors", "subtle", "P6", "the error repeats the PIN that was sent", "send a wrong PIN", b => b.Judged = EchoPin);
            yield return New("errors-of-neighbour", "subtle", "P14", "errors pile up along the list, also on successful results", "a list of an unknown and an open order", PileUp);
        }

        static void Drop(Call call, int from)
        {
            if (from >= 0 && from < call.Results.Count) call.Results.RemoveRange(from, call.Results.Count - from);
        }

        static void StopAtFailure(Call call)
        {
            int failed = call.Results.FindIndex(r => !r.Success);
            if (failed >= 0) Drop(call, failed + 1);
        }

        static void SwapIds(Call call)
        {
            if (call.Results.Count < 2 || call.Results[0].Success == call.Results[1].Success) return;
            CancellationCreationResult a = call.Results[0], b = call.Results[1];
            var id = a.OrderID;
            var uid = a.InternationalOrderUID;
            a.OrderID = b.OrderID;
            a.InternationalOrderUID = b.InternationalOrderUID;
            b.OrderID = id;
            b.InternationalOrderUID = uid;
        }

        static void ReverseOutcomes(Call call)
        {
            var outcomes = call.Results.Select(r => Tuple.Create(r.Success, r.Errors)).Reverse().ToList();
            for (int i = 0; i < outcomes.Count; i++)
            {
                call.Results[i].Success = outcomes[i].Item1;
                call.Results[i].Errors = outcomes[i].Item2;
            }
        }

        static void EchoPin(Turn turn)
        {
            if (!turn.Result.Success && turn.Instruction != null && turn.Instruction.PIN != null)
                turn.Result.Errors = turn.Result.Errors.Select(e => e.Replace("PIN is not", "PIN " + turn.Instruction.PIN + " is not")).ToList();
        }

        static void PileUp(Behaviour behaviour)
        {
            behaviour.AllJudged = call =>
            {
                var pile = new List<string>();
                foreach (var result in call.Results)
                {
                    pile.AddRange(result.Errors ?? new List<string>());
                    result.Errors = pile.Count > 0 ? pile.ToList() : null;
                }
            };
        }

        // ---- The form of a JSON answer ----

        static IEnumerable<Mode> JsonShapes()
        {
            yield return New("wrapped-list", "plain", "P10", "the JSON list is inside an object", "any JSON answer", b => b.Tree = (call, tree) => new JObject(new JProperty("Results", tree)));
            yield return New("bare-single-result", "subtle", "P10", "a single JSON result comes without its list", "a list of one", b => b.Tree = (call, tree) => tree.Count() == 1 ? tree[0] : tree);
            yield return New("camel-case", "plain", "P15", "JSON members are in camel case", "any JSON answer", b => b.Tree = CamelCase);
            yield return New("extra-member", "plain", "P10", "each JSON result has a member Message", "any JSON answer", b => b.Tree = AddMessage);
            yield return New("success-as-string", "plain", "P13", "Success is a JSON string", "any JSON answer", b => b.Tree = Shapes.Member("Success", value => value.ToString().ToLowerInvariant()));
            yield return New("success-as-number", "subtle", "P13", "Success is 0 when the cancellation failed", "name an unknown order", b => b.Tree = Shapes.Member("Success", value => (bool)value ? value : 0));
            yield return New("order-id-as-string", "plain", "P11", "OrderID is a JSON string", "cancel a domestic order", b => b.Tree = Shapes.Member("OrderID", value => value.Type == JTokenType.Null ? value : value.ToString()));
            yield return New("order-id-zero", "subtle", "P11", "a null OrderID is written as 0", "cancel an international order by JSON", b => b.Tree = Shapes.Member("OrderID", value => value.Type == JTokenType.Null ? 0 : value));
            yield return New("uid-zero", "subtle", "P12", "a null InternationalOrderUID is written as the empty GUID", "cancel a domestic order by JSON", b => b.Tree = Shapes.Member("InternationalOrderUID", value => value.Type == JTokenType.Null ? Guid.Empty.ToString() : value));
            yield return New("uid-braced", "subtle", "P12", "GUIDs are in braces", "cancel an international order by JSON", b => b.Tree = Shapes.Member("InternationalOrderUID", value => value.Type == JTokenType.Null ? value : "{" + value + "}"));
            yield return New("uid-without-dashes", "subtle", "P12", "GUIDs have no dashes", "cancel an international order by JSON", b => b.Tree = Shapes.Member("InternationalOrderUID", value => value.Type == JTokenType.Null ? value : value.ToString().Replace("-", "")));
            yield return New("errors-as-string", "plain", "P14", "Errors is one JSON string", "name an unknown order", b => b.Tree = Shapes.Member("Errors", value => value.HasValues ? string.Join("; ", value) : value));
            yield return New("single-error-as-string", "subtle", "P14", "a single error is a JSON string, several are a list", "name an unknown order", b => b.Tree = Shapes.Member("Errors", value => value.Count() == 1 ? value[0] : value));
            yield return New("errors-as-objects", "subtle", "P14", "errors are JSON objects", "name an unknown order", b => b.Tree = Shapes.Member("Errors", value => value.HasValues ? new JArray(value.Select(e => new JObject(new JProperty("Message", e)))) : value));
            yield return New("duplicate-member", "subtle", "P15", "JSON results state Success twice, first wrongly", "any JSON answer", b => b.Text = (call, text) => call.XmlOut ? text : text.Replace("\"Success\":true", "\"Success\":false,\"Success\":true"));
            yield return New("null-as-text", "subtle", "P15", "a null InternationalOrderUID is the text null", "cancel a domestic order by JSON", b => b.Tree = Shapes.Member("InternationalOrderUID", value => value.Type == JTokenType.Null ? "null" : value));
            yield return New("trailing-comma", "subtle", "P15", "a JSON list of several results ends with a comma", "a list of two", b => b.Text = (call, text) => !call.XmlOut && call.Results.Count > 1 ? text.Substring(0, text.Length - 1) + ",]" : text);
        }

        static JToken CamelCase(Call call, JToken tree)
        {
            return new JArray(tree.Cast<JObject>().Select(r => new JObject(r.Properties().Select(p => new JProperty(char.ToLowerInvariant(p.Name[0]) + p.Name.Substring(1), p.Value)))));
        }

        static JToken AddMessage(Call call, JToken tree)
        {
            foreach (JObject result in tree) result["Message"] = "processed";
            return tree;
        }

        // ---- The form of an XML answer ----

        static IEnumerable<Mode> XmlShapes()
        {
            yield return New("xml-wrong-namespace", "plain", "P15", "XML results are in the namespace of the request", "any XML answer", b => b.Text = Xml(text => text.Replace(Namespaces.Results, "http://schemas.datacontract.org/2004/07/")));
            yield return New("xml-wrong-root", "plain", "P15", "the XML root has another name", "any XML answer", b => b.Text = Xml(text => text.Replace("ArrayOfCancellationCreationResult", "CancellationCreationResults")));
            yield return New("xml-json-order", "subtle", "P15", "XML members are in the order of the JSON sample", "any XML answer", b => b.Document = JsonOrder);
            yield return New("xml-success-capital", "subtle", "P13", "XML says True and False", "any XML answer", b => b.Document = (call, d) => Shapes.Elements(d, "Success").ForEach(e => e.InnerText = e.InnerText == "true" ? "True" : "False"));
            yield return New("xml-nil-missing", "subtle", "P15", "a null OrderID is an empty XML element", "cancel an international order by XML", b => b.Document = (call, d) => Shapes.Elements(d, "OrderID").ForEach(e => { if (Shapes.IsNil(e)) e.RemoveAllAttributes(); }));
            yield return New("xml-null-as-text", "subtle", "P15", "a null OrderID is the text null in XML", "cancel an international order by XML", b => b.Document = (call, d) => Shapes.Elements(d, "OrderID").ForEach(e => { if (Shapes.IsNil(e)) { e.RemoveAllAttributes(); e.InnerText = "null"; } }));
            yield return New("xml-errors-nil", "subtle", "P14", "in XML a failed result has no errors", "name an unknown order by XML", b => b.Judged = t => { if (t.Call.XmlOut) t.Result.Errors = null; });
            yield return New("xml-nil-with-content", "subtle", "P14", "in XML the errors of a failed result are marked nil", "name an unknown order by XML", b => b.Document = (call, d) => Shapes.Elements(d, "Errors").ForEach(e => e.SetAttribute("nil", Namespaces.Instance, "true")));
            yield return New("xml-extra-element", "plain", "P10", "each XML result has an element Message", "any XML answer", b => b.Document = (call, d) => Shapes.Elements(d, "CancellationCreationResult").ForEach(e => e.AppendChild(d.CreateElement("Message", Namespaces.Results))));
            yield return New("xml-errors-wrong-namespace", "subtle", "P14", "the strings in Errors are in the namespace of the results", "name an unknown order by XML", b => b.Text = Xml(text => text.Replace(Namespaces.Arrays, Namespaces.Results)));
            yield return New("xml-errors-as-text", "plain", "P14", "Errors holds text in place of strings in XML", "name an unknown order by XML", b => b.Document = (call, d) => Shapes.Elements(d, "Errors").ForEach(e => { if (e.HasChildNodes) e.InnerText = e.InnerText; }));
            yield return New("xml-uid-with-urn", "subtle", "P12", "GUIDs begin with urn:uuid: in XML", "cancel an international order by XML", b => b.Document = (call, d) => Shapes.Elements(d, "InternationalOrderUID").ForEach(e => { if (e.InnerText != "") e.InnerText = "urn:uuid:" + e.InnerText; }));
        }

        static Func<Call, string, string> Xml(Func<string, string> change)
        {
            return (call, text) => call.XmlOut ? change(text) : text;
        }

        static void JsonOrder(Call call, System.Xml.XmlDocument document)
        {
            foreach (var errors in Shapes.Elements(document, "Errors")) errors.ParentNode.AppendChild(errors);
        }

        // ---- Media types, charsets, methods ----

        static IEnumerable<Mode> Formats()
        {
            yield return New("always-json", "plain", "P15", "Accept is ignored and answers are JSON", "accept application/xml", b => b.Instead = call => As(call, MediaType.All[0]));
            yield return New("text-json-unknown", "plain", "P9", "text/json requests get 415", "send text/json", b => b.ReadAs = call => call.In == MediaType.All[1] ? null : call.In);
            yield return New("text-xml-unknown", "plain", "P9", "text/xml requests get 415", "send text/xml", b => b.ReadAs = call => call.In == MediaType.All[3] ? null : call.In);
            yield return New("text-types-not-answered", "subtle", "P15", "text/json and text/xml are answered as application types", "accept text/xml", b => b.Instead = call => As(call, MediaType.All.First(t => t.Format == call.Out.Format)));
            yield return New("content-type-missing", "plain", "P15", "answers have no Content-Type", "any request", b => b.Finish = (call, answer) => answer.Headers.Remove("Content-Type"));
            yield return New("xml-labelled-json", "plain", "P15", "XML answers say application/json", "accept application/xml", b => b.Finish = (call, answer) => { if (call.XmlOut) answer.Headers["Content-Type"] = "application/json; charset=utf-8"; });
            yield return New("html-label-on-failure", "subtle", "P15", "an answer with a failed result says text/html", "name an unknown order", b => b.Finish = (call, answer) => { if (call.Results.Any(r => !r.Success)) answer.Headers["Content-Type"] = "text/html; charset=utf-8"; });
            yield return New("charset-lies", "subtle", "P15", "answers in UTF-16 say utf-8", "send Accept-Charset: utf-16", b => b.Finish = (call, answer) => answer.Headers["Content-Type"] = answer.Headers["Content-Type"].Replace("utf-16", "utf-8"));
            yield return New("json-guarded", "plain", "P15", "JSON answers begin with a guard against script inclusion", "any JSON answer", b => b.Text = (call, text) => call.XmlOut ? text : ")]}',\n" + text);
            yield return New("put-served", "plain", "P1", "PUT cancels as well", "send PUT", b => b.Instead = call => Method(call, "PUT"));
            yield return New("delete-served", "subtle", "P1", "DELETE with a body cancels as well", "send DELETE with a list", b => b.Instead = call => Method(call, "DELETE"));
            yield return New("method-override", "subtle", "P1", "GET with X-HTTP-Method-Override cancels", "send GET with that header", b => b.Instead = call => call.Request.Header("X-HTTP-Method-Override") == null ? null : Method(call, "GET"));
            yield return New("plain-text-served", "plain", "P9", "text/plain is read as JSON", "send text/plain", b => b.ReadAs = call => call.In ?? MediaType.All[0]);
            yield return New("format-guessed", "subtle", "P9", "a body without Content-Type is read by its first character", "leave Content-Type out", b => b.ReadAs = Guess);
            yield return New("query-honoured", "subtle", "P2", "?OrderID= in the address cancels that order, too", "name an order in the query", QueryHonoured);
            yield return New("chunked-request-empty", "subtle", "P3", "a chunked request body is taken for empty", "send a chunked body", b => b.Instead = call => { if (call.Request.Chunked) call.Request.Body = new byte[0]; return null; });
            yield return New("big-body-cut", "subtle", "P3", "a list of more than 20 instructions is processed up to the 20th", "a list of 21", b => b.Read = call => { if (call.Reading.List != null && call.Reading.List.Count > 20) call.Reading.List = call.Reading.List.Take(20).ToList(); });
        }

        static Answer As(Call call, MediaType type)
        {
            call.Out = type;
            return null;
        }

        static Answer Method(Call call, string served)
        {
            if (call.Request.Method == served && call.Request.Body.Length > 0) call.Request.Method = "POST";
            return null;
        }

        static MediaType Guess(Call call)
        {
            if (call.Request.Header("Content-Type") != null || call.Request.Body.Length == 0) return call.In;
            return call.Request.Body[0] == '<' ? MediaType.All[2] : MediaType.All[0];
        }

        static void QueryHonoured(Behaviour behaviour)
        {
            behaviour.AllJudged = call =>
            {
                var match = Regex.Match(call.Request.Query, "(?:^|&)OrderID=([0-9]{1,9})(?:&|$)");
                var order = match.Success ? call.World.Find(long.Parse(match.Groups[1].Value)) : null;
                if (order != null && order.Standing == Standing.Open) order.Standing = Standing.Cancelled;
            };
        }

        // ---- Lists that are refused ----

        static IEnumerable<Mode> Refusals()
        {
            yield return New("error-as-object", "plain", "P16", "the operation's own error is an object with Message", "send a list that cannot be read", b => b.ErrorText = ErrorObject);
            yield return New("error-empty", "plain", "P16", "the operation's own error is an empty string", "send a list that cannot be read", b => b.ErrorText = (call, text) => Writer.Text("", call.Out.Format, b));
            yield return New("error-null", "subtle", "P16", "the JSON error is null", "send a JSON list that cannot be read", b => b.ErrorText = (call, text) => call.XmlOut ? text : "null");
            yield return New("error-unquoted", "plain", "P16", "the JSON error is text without quotes", "send a JSON list that cannot be read", b => b.ErrorText = (call, text) => call.XmlOut ? text : text.Trim('"'));
            yield return New("error-without-namespace", "subtle", "P16", "the XML error has no namespace", "send an XML list that cannot be read", b => b.ErrorText = (call, text) => text.Replace(" xmlns=\"" + Namespaces.Strings + "\"", ""));
            yield return New("error-in-json-only", "subtle", "P16", "errors are JSON, whatever Accept says", "send an XML list that cannot be read", b => b.Finish = JsonErrors);
            yield return New("error-in-list", "subtle", "P16", "the JSON error is a list with the string in it", "send a JSON list that cannot be read", b => b.ErrorText = (call, text) => call.XmlOut ? text : "[" + text + "]");
            yield return New("error-with-200", "plain", "P10", "a refused list is answered with 200 and a string", "send a list that cannot be read", b => b.RefusedStatus = 200);
            yield return New("crash-on-bad-body", "plain", "P16", "a body that cannot be read gives 500 with a stack trace", "send a list that cannot be read", Crash);
            yield return New("crash-on-null-item", "subtle", "P16", "a null in the list gives 500", "send [null]", b => b.Read = CrashOnNull);
            yield return New("bad-value-loses-rest", "subtle", "P10", "after a bad value the rest of the list is lost", "a list of three whose second has a bad OrderID", b => b.IgnoreReadErrors = true);
            yield return New("refused-but-acts", "subtle", "P16", "a list refused for a bad value has cancelled what came before it", "a good instruction, then one with a bad value", RefusedButActs);
            yield return New("unknown-is-404", "subtle", "P10", "an unknown order gives 404 in the framework's form", "name an unknown order", b => Whole(b, 404, "was not found", true));
            yield return New("inactive-is-409", "subtle", "P10", "an inactive order gives 409 and a string", "cancel an executed order", b => Whole(b, 409, "is not active", false));
            yield return New("one-failure-fails-all", "subtle", "P3", "if one of several instructions fails, all are reported failed and nothing is cancelled", "a list of an open and an unknown order", FailsAll);
            yield return New("no-list-when-all-is-well", "plain", "P10", "if all instructions succeed, the answer has no body", "cancel an open order", b => b.Finish = (call, answer) => { if (call.Processed && call.Results.All(r => r.Success)) answer.Body = new byte[0]; });
            yield return New("all-failed-is-400", "plain", "P16", "if all instructions fail, the list of results comes with 400", "name an unknown order", b => b.Finish = (call, answer) => { if (call.Processed && call.Results.Count > 0 && call.Results.All(r => !r.Success)) answer.Status = 400; });
            yield return New("one-failure-hides-all", "subtle", "P10", "if one of several instructions fails, the answer is an error, and the others are cancelled all the same", "a list of an open and an unknown order", OneFailure);
            yield return New("every-97th-refused", "subtle", "P10", "every 97th request is refused, whatever it says", "send a good request 97 times", EveryNth);
            yield return New("bad-list-is-empty", "subtle", "P16", "a body that cannot be read is answered as an empty list", "send a list that cannot be read", BadIsEmpty);
            yield return New("single-object-taken", "subtle", "P3", "one instruction outside a list is carried out", "send an object in place of a list", SingleObject);
        }

        static string ErrorObject(Call call, string text)
        {
            if (!call.XmlOut) return "{\"Message\":" + text + "}";
            return Regex.Replace(text, "<string[^>]*>(.*)</string>", "<Error><Message>$1</Message></Error>");
        }

        static void JsonErrors(Call call, Answer answer)
        {
            if (call.Processed || answer.Status >= 404 || !call.XmlOut) return;
            answer.Headers["Content-Type"] = "application/json; charset=utf-8";
            answer.Body = Encoding.UTF8.GetBytes("\"The list of cancellation instructions was refused.\"");
        }

        static void Crash(Behaviour behaviour)
        {
            behaviour.Read = call =>
            {
                if (call.Reading.Errors.Count > 0) throw new InvalidOperationException("The list could not be read.");
            };
            behaviour.Finish = (call, answer) =>
            {
                if (answer.Status != 500) return;
                var trace = "System.InvalidOperationException: The list could not be read.\n   at OrderService.Read(Stream body)\n   at OrderService.Create()";
                answer.Body = Encoding.UTF8.GetBytes(Writer.Text(trace, call.Out.Format, behaviour));
            };
        }

        static void CrashOnNull(Call call)
        {
            if (call.Reading.List != null && call.Reading.List.Contains(null)) throw new NullReferenceException();
        }

        static void RefusedButActs(Behaviour behaviour)
        {
            behaviour.Read = call =>
            {
                if (call.Reading.Errors.Count == 0 || call.Reading.List == null) return;
                foreach (var item in call.Reading.List.Where(i => i != null && !i.IsInternationalOrder))
                {
                    var order = call.World.Find(item.OrderID);
                    if (order != null && order.Pin == null && order.Standing == Standing.Open) order.Standing = Standing.Cancelled;
                }
            };
        }

        // An error for the whole list in place of its results; what could be cancelled has been.
        static void Whole(Behaviour behaviour, int status, string words, bool framework)
        {
            behaviour.Finish = (call, answer) =>
            {
                if (!call.Results.Any(r => r.Errors != null && r.Errors.Any(e => e.Contains(words)))) return;
                answer.Status = status;
                var text = "An order " + words + ".";
                answer.Body = Encoding.UTF8.GetBytes(framework
                    ? Writer.FrameworkError(text, call.Out.Format, behaviour) : Writer.Text(text, call.Out.Format, behaviour));
            };
        }

        static void FailsAll(Behaviour behaviour)
        {
            behaviour.AllJudged = call =>
            {
                if (call.Results.All(r => r.Success)) return;
                foreach (var turn in call.Turns.Where(t => t.Result.Success))
                {
                    turn.Order.Standing = Standing.Open;
                    turn.Result.Success = false;
                    turn.Result.Errors = new List<string> { "Another instruction of the list failed." };
                }
            };
        }

        static void OneFailure(Behaviour behaviour)
        {
            behaviour.Finish = (call, answer) =>
            {
                if (call.Results.Count < 2 || call.Results.All(r => r.Success)) return;
                answer.Status = 400;
                answer.Body = Encoding.UTF8.GetBytes(Writer.Text("The list was refused.", call.Out.Format, behaviour));
            };
        }

        static void EveryNth(Behaviour behaviour)
        {
            behaviour.Read = call =>
            {
                if (call.Number % 97 == 0) call.Reading.Errors.Add("refused");
            };
        }

        static void BadIsEmpty(Behaviour behaviour)
        {
            behaviour.Read = call =>
            {
                if (call.Reading.Errors.Count == 0) return;
                call.Reading.Errors.Clear();
                call.Reading.List = new List<CancellationCreation>();
            };
        }

        static void SingleObject(Behaviour behaviour)
        {
            behaviour.Read = call =>
            {
                var text = Encoding.UTF8.GetString(call.Request.Body).Trim();
                if (call.Single || call.In == null || call.In.Format != Format.Json || !text.StartsWith("{", StringComparison.Ordinal)) return;
                var reading = Reader.Read(Encoding.UTF8.GetBytes("[" + text + "]"), Format.Json, Negotiation.Utf8, behaviour, false);
                call.Reading = reading;
            };
        }
    }
}
