// The state hook, for the harness alone: make orders, tell how they stand, take back what is open.
using System;
using System.Linq;
using System.Text;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace TppMono
{
    public class Hook
    {
        const int MaxCount = 10000;
        readonly World world;

        public Hook(World world)
        {
            this.world = world;
        }

        public Answer Handle(Request request)
        {
            if (request.Method != "POST") return Reply(405, "error", "POST only");
            try
            {
                var question = JObject.Parse(Encoding.UTF8.GetString(request.Body));
                lock (world) return Route(request.Path, question);
            }
            catch (Exception error)   // the question was not of the protocol's form
            {
                return Reply(400, "error", error.Message);
            }
        }

        Answer Route(string path, JObject question)
        {
            switch (path)
            {
                case "/orders/state": return Make(question);
                case "/orders/observe": return Look(question, false);
                case "/orders/clean": return Look(question, true);
                default: return Reply(404, "error", "no such question");
            }
        }

        Answer Make(JObject question)
        {
            var state = (string)question["state"];
            int count = Math.Min(MaxCount, (int?)question["count"] ?? 1);
            var orders = Enumerable.Range(0, count).Select(_ => world.Create(state)).ToList();
            if (orders.Contains(null)) return Reply(404, "error", "this world has no order of the state " + state);
            return Reply(200, "orders", new JArray(orders.Select(Entry)));
        }

        Answer Look(JObject question, bool clean)
        {
            var entries = new JArray();
            foreach (JObject entry in (JArray)question["orders"])
            {
                var order = Find(entry);
                if (clean && order != null && order.Now(DateTime.UtcNow) == Standing.Open) TakeBack(order);
                var seen = (JObject)entry.DeepClone();
                seen["state"] = order == null ? "unknown" : order.Seen(DateTime.UtcNow).ToString().ToLowerInvariant();
                entries.Add(seen);
            }
            return Reply(200, "orders", entries);
        }

        static void TakeBack(Order order)
        {
            order.Standing = Standing.Cancelled;
            order.ReopensAt = DateTime.MaxValue;
        }

        Order Find(JObject entry)
        {
            var uid = (string)entry["InternationalOrderUID"];
            return uid != null ? world.Find(new Guid(uid)) : world.Find((long?)entry["OrderID"]);
        }

        static JObject Entry(Order order)
        {
            var entry = new JObject();
            if (order.Id.HasValue) entry["OrderID"] = order.Id.Value;
            if (order.Uid.HasValue) entry["InternationalOrderUID"] = order.Uid.Value.ToString();
            if (order.Pin != null) entry["PIN"] = order.Pin;
            return entry;
        }

        static Answer Reply(int status, string name, JToken value)
        {
            var answer = new Answer { Status = status, Body = Encoding.UTF8.GetBytes(new JObject(new JProperty(name, value)).ToString(Formatting.None)) };
            answer.Headers["Content-Type"] = "application/json; charset=utf-8";
            return answer;
        }
    }
}
